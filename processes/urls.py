"""Addresses of `processes/`, all inside `/c/<slug>/`."""

app_name = "processes"

urlpatterns = []
