"""Addresses of `roles/`, all inside `/c/<slug>/`."""

app_name = "roles"

urlpatterns = []
