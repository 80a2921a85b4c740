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


class LeaseLost(RuntimeError):
    """Another worker took the load over: this one stops and writes nothing."""


def renewal(load: Import, token: str, at: datetime, stream: BinaryIO) -> Callable[[int], None]:
    """A function of the rows read so far that keeps the lease while a long file is read, and says how far it is.

    It raises LeaseLost when another worker has it.
    """
    begun = renewed = time.monotonic()
    size = load.file.size or 1

    def renew(rows: int) -> None:
        nonlocal renewed
        now = time.monotonic()
        if now - renewed < RENEW_EVERY:
            return
        renewed = now
        share = min(99, stream.tell() * 100 // size)
        mine = Import.objects.filter(company=load.company, pk=load.pk, lease_token=token)
        until = at + timedelta(seconds=now - begun) + LEASE
        if not mine.update(lease_until=until, rows_read=rows, read_share=share):
            raise LeaseLost(load.pk)

    return renew
