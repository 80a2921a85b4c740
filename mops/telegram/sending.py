"""One message to one chat. Plain text, so that nothing in it is markup."""

from datetime import datetime

from django.conf import settings
from django.utils import translation

from mops.models import Delivery
from mops.notifications.outbox import Outcome
from mops.telegram import bots, client


def send(delivery: Delivery, now: datetime) -> Outcome:
    """403 and a chat that is gone unlink it, 401 and 404 mean the token, 429 says how long to wait; the rest is tried again."""
    person, company = delivery.notification.person, delivery.company
    chat, sender = bots.chat_of(company=company, person=person), bots.sender(company)
    if chat is None or chat.chat_id is None or sender is None:
        return Outcome("no_chat", final=True)
    bot, token = sender
    reply = client.call(
        token, "sendMessage", chat_id=chat.chat_id, text=text_of(delivery), link_preview_options={"is_disabled": True}
    )
    if reply.ok:
        bots.note_problem(bot=bot, problem="")
        return Outcome("telegram", sent=True)
    detail = f"{reply.status} {reply.words}".strip() if reply.status else ""
    if reply.status == 403 or (reply.status == 400 and "chat not found" in reply.words.lower()):
        with translation.override(person.user.language):
            bots.lose_chat(company=company, person=person, at=now)
        return Outcome("blocked", detail, final=True)
    if reply.status in {401, 404}:
        bots.note_problem(bot=bot, problem="token")
        return Outcome("token", detail)
    if reply.status == 0:
        return Outcome(reply.words)
    return Outcome("status", detail, final=reply.status == 400, retry_after=reply.retry_after)


def text_of(delivery: Delivery) -> str:
    """Title, text, link; the number at the end is the same in every attempt."""
    said = delivery.notification
    parts = [said.title, said.text, settings.PUBLIC_URL + said.url if said.url else ""]
    foot = f"{delivery.company.name} · № {said.pk}"
    body = "\n\n".join(part for part in parts if part)
    return f"{body[: client.LONGEST - len(foot) - 2]}\n\n{foot}"
