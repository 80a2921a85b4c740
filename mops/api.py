"""Registers every app's viewsets under `/api/v1/`."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from roles.api.channels import CampaignViewSet, ChannelViewSet
from roles.api.people import MeView, PersonViewSet, RoleViewSet

router = SimpleRouter()
router.register("people", PersonViewSet, basename="person")
router.register("roles", RoleViewSet, basename="role")
router.register("channels", ChannelViewSet, basename="channel")
router.register("campaigns", CampaignViewSet, basename="campaign")

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(permission_classes=[], throttle_classes=[]), name="api-schema"),
    path("me/", MeView.as_view(), name="me"),
    path("c/<slug:company_slug>/", include(router.urls)),
]
