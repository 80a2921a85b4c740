"""Addresses of `reports/`, all inside `/c/<slug>/`."""

app_name = "reports"

urlpatterns = []
