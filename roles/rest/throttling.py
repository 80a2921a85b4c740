"""Limits per person and per company, counted in a cache of its own so that a read never writes to the database."""

from django.core.cache import caches
from rest_framework.throttling import SimpleRateThrottle


class PersonThrottle(SimpleRateThrottle):
    scope = "person"
    cache = caches["throttle"]

    def get_cache_key(self, request, view):
        return f"throttle-person-{request.user.pk}" if request.user else f"throttle-{self.get_ident(request)}"


class CompanyThrottle(SimpleRateThrottle):
    scope = "company"
    cache = caches["throttle"]

    def get_cache_key(self, request, view):
        company = getattr(request, "company", None)
        return f"throttle-company-{company.pk}" if company else None
