"""Every address of MOPS. Inside a company the path begins with `/c/<slug>/`."""

from django.urls import include, path

from mops import views
from mops.notifications import views as reach
from reports.views.companies import company_list

handler400 = "mops.errors.bad_request"
handler403 = "mops.errors.forbidden"
handler404 = "mops.errors.not_found"
handler500 = "mops.errors.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("preferences/", views.preferences, name="preferences"),
    path("companies/", company_list, name="company-list"),
    path("companies/new/", views.company_create, name="company-create"),
    path("unsubscribe/<str:token>/", reach.unsubscribe, name="unsubscribe"),
    path("healthz", views.healthz, name="healthz"),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("mops.api")),
    path("c/<slug:company_slug>/", include("mops.company_urls")),
    path("c/<slug:company_slug>/", include("reports.urls")),
    path("c/<slug:company_slug>/", include("processes.urls")),
    path("c/<slug:company_slug>/", include("kpis.urls")),
    path("c/<slug:company_slug>/", include("roles.urls")),
]
