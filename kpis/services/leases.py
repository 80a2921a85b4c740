"""The lease under which a worker runs a load, and how far it has come."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import BinaryIO

from kpis.models import Import

LEASE = timedelta(seconds=45)
RENEW_EVERY = 2.0
PROGRESS_EVERY = 5_000
"""Rows after which a worker looks at the clock."""


Clock = Callable[[], datetime]
"""What time it is, in UTC."""


class LeaseLost(RuntimeError):
    """Another worker took the load over: this one stops and writes nothing."""


def read_share(load: Import, stream: BinaryIO) -> Callable[[int], int]:
    """How far a load's file is read, in per cent of its bytes."""
    size = load.file.size or 1
    return lambda _rows: stream.tell() * 100 // size


def clock_from(at: datetime) -> Clock:
    """A clock that shows `at` (UTC) now and goes on by itself: a load of minutes ends minutes after it began."""
    begun = time.monotonic()
    return lambda: at + timedelta(seconds=time.monotonic() - begun)


def renewal(load: Import, token: str, now: Clock, share_of: Callable[[int], int]) -> Callable[[int], None]:
    """A function of the rows read so far that keeps the lease during long work, and says how far it is.

    `now`: the clock of the run. `share_of`: of the work, in per cent, by the rows read. It raises LeaseLost when another
    worker has the lease.
    """
    renewed = time.monotonic()

    def renew(rows: int) -> None:
        nonlocal renewed
        if time.monotonic() - renewed < RENEW_EVERY:
            return
        renewed = time.monotonic()
        share = min(99, share_of(rows))
        mine = Import.objects.filter(company=load.company, pk=load.pk, lease_token=token)
        if not mine.update(lease_until=now() + LEASE, rows_read=rows, read_share=share):
            raise LeaseLost(load.pk)

    return renew
