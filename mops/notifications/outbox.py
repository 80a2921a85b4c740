"""The outbox: rows that are leased, sent outside any transaction and tried again; at least once, each with one constant id."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from kpis.failpoints import failpoint
from mops.models import Sending

LEASE = timedelta(minutes=2)
PASS_SECONDS = 60
"""A pass stops after this time and leaves the rest to the next one, so that a slow receiver holds no worker for long."""
KEPT_FOR = timedelta(days=90)
"""How long the logs show what has gone out, or what nobody wanted any more."""
KEPT = 20
"""Attempts that the log of a sending keeps."""


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. `code` is put into words by `mops.notifications.answers`; `retry_after`: as the receiver asked;
    `final`: no further attempt makes sense; `dropped`: nobody wants it any more."""

    code: str
    detail: str = ""
    sent: bool = False
    final: bool = False
    dropped: bool = False
    retry_after: timedelta | None = None


def run_pass(rows: Callable[[], QuerySet], send: Callable[[Sending, datetime], Outcome | None], at: datetime,
             retries: tuple[timedelta, ...]) -> int:  # fmt: skip
    """Send what is due of `rows()`, one after the other; returns how many went out. `send` gives None for what it has put off."""
    begun, sent = time.monotonic(), 0
    while (spent := time.monotonic() - begun) < PASS_SECONDS:
        now = at + timedelta(seconds=spent)
        row = claim(rows(), now)
        if row is None:
            break
        sent += attempt(row, send, now, retries)
    return sent


def claim(rows: QuerySet, now: datetime) -> Sending | None:
    """Lease one due row by a conditional UPDATE; None when nothing is left or somebody else was quicker with all."""
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    due = rows.filter(free, state=Sending.State.WAITING, next_attempt_at__lte=now)
    token = secrets.token_hex(16)
    for pk in due.order_by("next_attempt_at", "pk").values_list("pk", flat=True)[:20]:
        if due.filter(pk=pk).update(lease_until=now + LEASE, lease_token=token, attempts=F("attempts") + 1):
            return rows.get(pk=pk)
    return None


def attempt(row: Sending, send: Callable[[Sending, datetime], Outcome | None], now: datetime,
            retries: tuple[timedelta, ...]) -> bool:  # fmt: skip
    """One attempt at a leased row and its outcome; True when it went out. Killed in between, it is sent again: never lost."""
    failpoint("sending.before")
    outcome = send(row, now)
    failpoint("sending.after")
    if outcome is not None:
        note(row, outcome, now, retries)
    return outcome is not None and outcome.sent


def note(row: Sending, outcome: Outcome, now: datetime, retries: tuple[timedelta, ...]) -> None:
    """Write the outcome with its line in the log, and the time of the next attempt where there is one."""
    line = {"at": now.isoformat(), "code": outcome.code, "detail": outcome.detail[:200], "sent": outcome.sent}
    fields = {
        "log": [*row.log, line][-KEPT:],
        "error": "" if outcome.sent else f"{outcome.code}: {outcome.detail}"[:300],
    }
    if outcome.sent:
        fields |= {"state": Sending.State.SENT, "sent_at": now, "next_attempt_at": None}
    elif outcome.dropped:
        fields |= {"state": Sending.State.DROPPED, "next_attempt_at": None}
    elif outcome.final or row.attempts > len(retries):
        fields |= {"state": Sending.State.FAILED, "next_attempt_at": None}
    else:
        wait = max(retries[row.attempts - 1], outcome.retry_after or timedelta(0))
        fields |= {"next_attempt_at": now + wait}
    settle(row, **fields)


def settle(row: Sending, **fields) -> bool:
    """Write while the lease is still ours; a later holder of the lease writes its own. False when it was lost."""
    mine = type(row).objects.filter(company=row.company, pk=row.pk, lease_token=row.lease_token)
    for name, value in fields.items():
        setattr(row, name, value)
    return bool(mine.update(lease_until=None, lease_token="", **fields))


def forget(rows: QuerySet, begun: str, at: datetime) -> int:
    """What went out, or was not wanted, 90 days ago leaves the log; what waits or never arrived stays. `begun`: the path to when a
    row came to be, for those that never went out. One DELETE; returns how many went."""
    done = rows.filter(state__in=[Sending.State.SENT, Sending.State.DROPPED])
    long_ago = at - KEPT_FOR
    old = done.filter(Q(sent_at__lt=long_ago) | Q(**{"sent_at": None, f"{begun}__lt": long_ago}))
    return old.delete()[0]
