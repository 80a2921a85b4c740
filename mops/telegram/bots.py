"""The bot of a company and the chats of its people: linked by a code that is good once, for a quarter of an hour."""

import logging
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mops import vault
from mops.models import Delivery, Group, Notification, TelegramBot, TelegramChat
from mops.telegram import client
from roles import audit
from roles.models import Company, Membership
from roles.refusals import Conflict
from roles.tokens import digest
from roles.validation import refuse

log = logging.getLogger("mops.telegram")
CODE_LIVES = timedelta(minutes=15)
TOKEN = re.compile(r"\d{5,20}:[\w-]{20,100}", re.ASCII)
LINKED = gettext_noop("Telegram is linked: messages of %(company)s come here.")


class NoBot(Conflict):
    code = "no_bot"


@dataclass(frozen=True)
class Invitation:
    """How to link: the address that opens the bot with the code, and the code for who types it."""

    url: str
    code: str


def bot_of(*, company: Company) -> TelegramBot | None:
    return TelegramBot.objects.filter(company=company).first()


def chat_of(*, company: Company, person: Membership) -> TelegramChat | None:
    return TelegramChat.objects.filter(company=company, person=person).first()


def linked_people(*, company: Company) -> set[int]:
    """Ids of the people with a chat; none while the company has no bot."""
    rows = TelegramChat.objects.filter(company=company, chat_id__isnull=False)
    return set(rows.values_list("person_id", flat=True))


def connect_bot(*, company: Company, by: Membership, at: datetime, token: str) -> TelegramBot:
    """Ask Telegram whose token it is and keep it encrypted. Refused where Telegram does not know it or does not answer.

    Another bot in the place of the old one forgets the chats: they were chats with the old one.
    """
    reply = client.call(token, "getMe") if TOKEN.fullmatch(token) else client.Reply(False, status=404)
    if not reply.ok or not isinstance(reply.result, dict):
        if reply.status in {401, 404}:
            raise refuse(
                "token", "unknown_token", _("Telegram does not know this token. Copy it again from @BotFather.")
            )
        raise refuse("token", "no_answer", _("Telegram did not answer. Try again in a minute."))
    username = str(reply.result.get("username", ""))[:64]
    with transaction.atomic():
        before = bot_of(company=company)
        if before and before.username != username:
            TelegramChat.objects.filter(company=company).delete()
        fields = {"token": vault.lock(token), "username": username, "problem": "", "created_by": by, "created_at": at}
        if before and before.username != username:
            fields["offset"] = 0
        bot, _made = TelegramBot.objects.update_or_create(company=company, defaults=fields)
        audit.record(company=company, by=by, verb="connect_telegram_bot", obj=bot, at=at, after={"name": username})
    return bot


@transaction.atomic
def remove_bot(*, company: Company, by: Membership, at: datetime) -> None:
    """The token and every chat are forgotten; twice changes nothing."""
    bot = bot_of(company=company)
    if bot is not None:
        audit.record(company=company, by=by, verb="remove_telegram_bot", obj=bot, at=at, before={"name": bot.username})
        bot.delete()
        TelegramChat.objects.filter(company=company).delete()


def invite(*, company: Company, person: Membership, at: datetime) -> Invitation:
    """A code for this person; an earlier one is no good any more. A chat that is linked stays until the new one comes."""
    bot = bot_of(company=company)
    if bot is None:
        raise NoBot(_("The company has no bot yet. The owner or the project manager adds one."))
    code = secrets.token_urlsafe(18)
    TelegramChat.objects.update_or_create(
        company=company, person=person, defaults={"code_digest": digest(code), "code_until": at + CODE_LIVES}
    )
    return Invitation(f"https://t.me/{bot.username}?start={code}", code)


def unlink(*, company: Company, person: Membership) -> None:
    TelegramChat.objects.filter(company=company, person=person).delete()


def poll(company: Company, at: datetime) -> int:
    """While a code waits, read what people wrote to the bot; returns how many chats were linked.

    The offset is kept after the chats: a pass that is killed reads the same again, and a code that was used says nothing.
    """
    if not TelegramChat.objects.filter(company=company, code_until__gt=at).exists():
        return 0
    bot = bot_of(company=company)
    token = _token(bot)
    if token is None:
        return 0
    reply = client.call(token, "getUpdates", offset=bot.offset, timeout=0, allowed_updates=["message"])
    if not reply.ok or not isinstance(reply.result, list):
        log.warning("bot of %s was not read: %s %s", company.slug, reply.status, reply.words)
        return 0
    linked = sum(_link(company, at, update.get("message") or {}) for update in reply.result if isinstance(update, dict))
    seen = [update["update_id"] for update in reply.result if isinstance(update, dict) and "update_id" in update]
    if seen:
        TelegramBot.objects.filter(company=company, pk=bot.pk).update(offset=max(seen) + 1)
    return linked


def _link(company: Company, at: datetime, message: dict) -> bool:
    """A private `/start <code>` whose code waits links its chat, and gets a first message; anything else is passed over."""
    word, _space, code = str(message.get("text", "")).strip().partition(" ")
    chat = message.get("chat") or {}
    if word != "/start" or not code or chat.get("type") != "private" or not isinstance(chat.get("id"), int):
        return False
    with transaction.atomic():
        mine = TelegramChat.objects.filter(company=company, code_digest=digest(code.strip()), code_until__gt=at)
        row = mine.select_related("person").first()
        if row is None or not mine.update(
            chat_id=chat["id"], linked_at=at, code_digest="", code_until=None, problem=""
        ):
            return False
        said = Notification.objects.create(
            company=company, person=row.person, key=f"telegram-linked:{at.isoformat()}", shown=False, read_at=at,
            created_at=at, title=_(LINKED) % {"company": company.name},
        )  # fmt: skip
        Delivery.objects.create(company=company, notification=said, way=Delivery.Way.TELEGRAM, next_attempt_at=at)
    return True


def lose_chat(*, company: Company, person: Membership, at: datetime) -> None:
    """The person blocked the bot or deleted the chat: it is unlinked, and the person is told in the app and by e-mail."""
    mine = TelegramChat.objects.filter(company=company, person=person, chat_id__isnull=False)
    with transaction.atomic():
        if not mine.update(chat_id=None, problem="blocked"):
            return
        said = Notification.objects.create(
            company=company, person=person, key=f"telegram-lost:{at.isoformat()}", created_at=at, group=Group.RULES,
            title=_("Telegram does not reach you any more"),
            text=_("The bot was blocked or its chat deleted. To get messages there again, link Telegram once more."),
        )  # fmt: skip
        Delivery.objects.create(company=company, notification=said, way=Delivery.Way.EMAIL, next_attempt_at=at)


def note_problem(*, bot: TelegramBot, problem: str) -> None:
    TelegramBot.objects.filter(company=bot.company_id, pk=bot.pk).exclude(problem=problem).update(problem=problem)


def _token(bot: TelegramBot | None) -> str | None:
    """The token, or None where there is no bot or it was locked under another SECRET_KEY."""
    if bot is None:
        return None
    try:
        return vault.unlock(bot.token)
    except vault.Unreadable:
        note_problem(bot=bot, problem="unreadable")
        return None


def sender(company: Company) -> tuple[TelegramBot, str] | None:
    """The bot with its token in the clear, for sending; None where there is none that works."""
    bot = bot_of(company=company)
    token = _token(bot)
    return None if token is None else (bot, token)
