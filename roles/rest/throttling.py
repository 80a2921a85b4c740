"""Limits per person and per company, counted in a cache of its own so that a read never writes to the database."""

from django.core.cache import caches
from rest_framework.throttling import SimpleRateThrottle


class WindowThrottle(SimpleRateThrottle):
    """Counts the requests of the running minute (hour, day).

    DRF's own keeps the moment of every request and writes the whole list anew each time: thousands of them at our
    limits, and two requests at once lose one. A counter is one number, added to by the cache itself.
    """

    cache = caches["throttle"]

    def allow_request(self, request, view):
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        now = self.timer()
        self.left = self.duration - now % self.duration
        return self._count(f"{key}-{now // self.duration:.0f}") <= self.num_requests

    def _count(self, key: str) -> int:
        try:
            return self.cache.incr(key)
        except ValueError:  # the first one of its window
            return 1 if self.cache.add(key, 1, self.duration) else self.cache.incr(key)

    def wait(self):
        """Seconds until the window ends."""
        return self.left


class PersonThrottle(WindowThrottle):
    scope = "person"

    def get_cache_key(self, request, view):
        return f"throttle-person-{request.user.pk}" if request.user else f"throttle-{self.get_ident(request)}"


class CompanyThrottle(WindowThrottle):
    scope = "company"

    def get_cache_key(self, request, view):
        company = getattr(request, "company", None)
        return f"throttle-company-{company.pk}" if company else None
