"""Calls of the Bot API. The token is part of the address there, so no address and no error of a lower layer leaves this module."""

import json
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from mops import outgoing

LONGEST = 4096
"""Characters of one message."""
UPDATES_READ = 2_000_000


@dataclass(frozen=True)
class Reply:
    """What Telegram said: `result` where `ok`, else the status, its words and how long it asks to wait. Status 0: no answer, the
    words are a code of `outgoing.Unreachable`."""

    ok: bool
    result: object = None
    status: int = 200
    words: str = ""
    retry_after: timedelta | None = None


def call(token: str, method: str, **fields) -> Reply:
    """One method of the Bot API; never raises for what the network or Telegram does."""
    url = f"{settings.TELEGRAM_API_URL}/bot{token}/{method}"
    try:
        answer = outgoing.post(
            url, json.dumps(fields).encode(), {"Content-Type": "application/json"}, trusted=True, limit=UPDATES_READ
        )
    except outgoing.Unreachable as error:
        return Reply(False, status=0, words=error.code)
    try:
        told = json.loads(answer.text)
    except ValueError:
        return Reply(False, status=answer.status, words="broken")
    if not isinstance(told, dict):
        return Reply(False, status=answer.status, words="broken")
    if answer.ok and told.get("ok"):
        return Reply(True, told.get("result"))
    asked = (told.get("parameters") or {}).get("retry_after")
    wait = timedelta(seconds=min(asked, 86_400)) if isinstance(asked, int) else answer.retry_after
    return Reply(False, status=answer.status, words=str(told.get("description", ""))[:150], retry_after=wait)
