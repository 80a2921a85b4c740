"""How far a worker is that writes in one transaction: its row shows nothing of that before the end, so a cache tells it."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.core.cache import caches

from kpis.models import Import

KEPT = 600
"""Seconds after which a word of a worker that was killed is forgotten."""
TOLD_EVERY = 2.0


class Written(NamedTuple):
    """Rows of the file that are written, and how much of it that is, in per cent."""

    rows: int
    share: int


def telling(load: Import, share_of: Callable[[int], int]) -> Callable[[int], None]:
    """A function of the rows written so far that tells it, every two seconds at most; `share_of`: see `leases.renewal`."""
    told = time.monotonic()

    def tell(rows: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= TOLD_EVERY:
            told = now
            caches["progress"].set(_key(load.pk), Written(rows, min(99, share_of(rows))), KEPT)

    return tell


def begin_anew(load: Import) -> None:
    """Forget what a worker told that was killed before it had written all."""
    caches["progress"].delete(_key(load.pk))


def written(loads: Iterable[Import]) -> dict[int, Written]:
    """What is known of the loads that wait or run, by their ids; nothing of those that read, or wait, or have ended."""
    keys = {_key(load.pk): load.pk for load in loads if load.state == Import.State.QUEUED}
    found = caches["progress"].get_many(keys) if keys else {}
    return {keys[key]: one for key, one in found.items()}


def _key(pk: int) -> str:
    return f"load-{pk}-written"
