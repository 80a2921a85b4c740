"""What came of an attempt, in words: the codes of the log."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from mops.models import Sending

WORDS = {
    "answered": _("taken"),
    "status": _("the receiver refused"),
    "redirect": _("the receiver sends elsewhere: give the address it points at"),
    "gone": _("the receiver says it is gone for good"),
    "address": _("the address leads into a private network and was not called"),
    "name": _("no such host"),
    "connect": _("no connection"),
    "tls": _("the certificate is not in order"),
    "timeout": _("no answer in time"),
    "broken": _("an answer that is not HTTP"),
    "secret": _("the secret cannot be read any more: make a new one"),
    "mail": _("the mail server took it"),
    "mail_error": _("the mail server did not take it"),
    "telegram": _("Telegram took it"),
    "blocked": _("the bot is blocked or the chat deleted: unlinked"),
    "token": _("Telegram does not take the token of the bot"),
    "no_chat": _("no chat is linked"),
    "left": _("the person has left"),
    "unwanted": _("switched off by the person before it was sent"),
}


@dataclass(frozen=True)
class Attempt:
    """One line of the log for a page."""

    at: datetime
    words: str
    detail: str
    sent: bool


def attempts_of(sending: Sending) -> list[Attempt]:
    """Newest first."""
    return [
        Attempt(datetime.fromisoformat(row["at"]), WORDS.get(row["code"], row["code"]), row["detail"], row["sent"])
        for row in reversed(sending.log)
    ]


def last_answer(sending: Sending) -> str:
    """The newest attempt in one line; empty before the first."""
    rows = attempts_of(sending)
    return f"{rows[0].words} ({rows[0].detail})" if rows and rows[0].detail else str(rows[0].words) if rows else ""
