"""CPU time of this process and of the database process behind its connection: other work on the machine hardly lengthens it."""

import os
import time
from pathlib import Path

from django.db import connection

ADDITIONS = 10_000_000


def cpu() -> float:
    """Seconds of both since they began; the database must run on this machine."""
    connection.ensure_connection()
    return time.process_time() + _of(connection.connection.info.backend_pid)


def _of(pid: int) -> float:
    """To the nanosecond where the kernel keeps schedule statistics; in ticks, mostly of 10 ms, elsewhere."""
    scheduled = Path(f"/proc/{pid}/schedstat")
    if scheduled.exists():
        return int(scheduled.read_text().split()[0]) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bare_loop() -> float:
    """Seconds of CPU of a bare loop of ten million additions: figures of two machines compare only beside it."""
    began, total = time.process_time(), 0
    for number in range(ADDITIONS):
        total += number
    return time.process_time() - began
