"""The heartbeat of the background work: when the last sweep ended, kept in the cache that web, worker and beat share."""

from datetime import datetime

from django.core.cache import cache

KEY = "mops-last-sweep"


def beat(at: datetime) -> None:
    cache.set(KEY, at, timeout=None)


def last_sweep() -> datetime | None:
    """The moment of the last sweep; None when there has been none."""
    return cache.get(KEY)
