"""What a stand-up leaves behind: JSON that is read without any other row, so that renamed or deleted things change nothing.

{"people": [names], "seconds": int, "topics": [text], "title": text or "", "channels": [{"code", "id", "name", "owner",
"missing": bool, "conclusion", "actions": [text], "decisions": [{"number", "text", "now": signed during the meeting}],
"earned", "plan": "decimal string" or null}], "earned", "plan", "romi": the same}.
"""

import hashlib
import json
from decimal import Decimal

from reports.models import Meeting
from reports.slides.content import ChannelSlide, Deck, decision_words
from roles.models import Membership


def minutes_of(*, meeting: Meeting, deck: Deck, present: list[Membership]) -> dict:
    """The minutes of a meeting that ends now, in the language of whoever ends it."""
    summary = deck.summary
    return {
        "people": [str(person) for person in present],
        "seconds": meeting.seconds,
        "topics": meeting.topics,
        "channels": [_channel(slide, meeting) for slide in deck.channels],
        "earned": _figure(summary.earned), "plan": _figure(summary.plan), "romi": _figure(summary.romi),
    }  # fmt: skip


def seal_of(minutes: dict) -> str:
    """The fingerprint by which a reader may see that nothing was changed."""
    return hashlib.sha256(json.dumps(minutes, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _channel(slide: ChannelSlide, meeting: Meeting) -> dict:
    money = slide.money
    owner = money.channel.owner
    return {
        "id": money.channel.pk, "code": money.channel.code, "name": money.channel.name,
        "owner": owner.user.short_name if owner else "", "missing": money.is_missing, "conclusion": slide.conclusion,
        "actions": slide.actions,
        "decisions": [
            {"number": str(decision), "text": decision_words(decision), "now": _is_of(decision, meeting)}
            for decision in slide.decided
        ],
        "earned": _figure(money.earned), "plan": _figure(money.plan),
    }  # fmt: skip


def _is_of(decision, meeting: Meeting) -> bool:
    return decision.signed_at is not None and meeting.started_at <= decision.signed_at <= meeting.ended_at


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
