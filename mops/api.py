"""Registers every app's viewsets under `/api/v1/`."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

router = SimpleRouter()

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(permission_classes=[], throttle_classes=[]), name="api-schema"),
    path("c/<slug:company_slug>/", include(router.urls)),
]
