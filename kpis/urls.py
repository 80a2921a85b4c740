"""Addresses of `kpis/`, all inside `/c/<slug>/`."""

app_name = "kpis"

urlpatterns = []
