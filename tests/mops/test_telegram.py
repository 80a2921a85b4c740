"""Telegram against a receiver that speaks its Bot API: linking by a code, sending, 403, 429, and a token that nobody sees."""

import json
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from mops import due
from mops.models import Delivery, Notification, Progress, TelegramBot, TelegramChat
from mops.notifications import deliveries, events
from mops.telegram import bots
from roles.models import AuditEvent
from roles.refusals import Refused

from .conftest import make_decision

TOKEN = "123456789:AAcanary_canary_canary_canary_canary"
CHAT = 777_000_111


def says(result) -> tuple:
    return 200, {}, json.dumps({"ok": True, "result": result}).encode()


def refuses(status: int, words: str, **more) -> tuple:
    return status, {}, json.dumps({"ok": False, "error_code": status, "description": words, **more}).encode()


def start(code: str, update: int = 5, chat: int = CHAT, kind: str = "private") -> dict:
    return {"update_id": update, "message": {"text": f"/start {code}", "chat": {"id": chat, "type": kind}}}


@pytest.fixture
def telegram(receive, settings, acme, now):
    """A Bot API of the test and ACME's bot on it. `telegram.plan`: what is answered next."""
    receiver = receive(says({"username": "acme_bot"}), allowed=False)
    settings.TELEGRAM_API_URL = f"http://{receiver.host}"
    bot = bots.connect_bot(company=acme.company, by=acme.owner, at=now, token=TOKEN)
    receiver.got.clear()
    return SimpleNamespace(plan=receiver.plan, got=receiver.got, bot=bot)


@pytest.fixture
def linked(acme, telegram, now):
    TelegramChat.objects.create(company=acme.company, person=acme.cmo, chat_id=CHAT, linked_at=now)
    Progress.objects.create(company=acme.company)
    make_decision(acme)
    events.tell(acme.company, now)
    return Delivery.objects.get(way="telegram")


def asked(telegram) -> list[tuple[str, dict]]:
    return [(path.rpartition("/")[2], json.loads(body)) for _step, _headers, body, path in telegram.got]


def send(acme, at) -> Delivery:
    deliveries.send_due(acme.company, at)
    return Delivery.objects.get(way="telegram")


def test_code_links_the_chat_once(acme, telegram, now):
    invitation = bots.invite(company=acme.company, person=acme.cmo, at=now)
    assert invitation.url == f"https://t.me/acme_bot?start={invitation.code}"
    telegram.plan += [says([start("wrong", 4), start(invitation.code), start(invitation.code, 6, chat=666)])] * 2

    assert acme.company.pk in {pk for query in due._queries(now) for pk in query if query.model is TelegramChat}
    assert bots.poll(acme.company, now) == 1
    assert bots.poll(acme.company, now) == 0

    chat = TelegramChat.objects.get()
    assert (chat.person, chat.chat_id, chat.code_digest) == (acme.cmo, CHAT, "")
    assert TelegramBot.objects.get().offset == 7
    assert [method for method, _fields in asked(telegram)] == ["getUpdates"]
    said = Notification.objects.get()
    assert (said.shown, said.deliveries.get().way) == (False, "telegram")


def test_code_is_over_after_a_quarter_of_an_hour_and_a_group_is_no_chat(acme, telegram, now):
    code = bots.invite(company=acme.company, person=acme.cmo, at=now).code
    telegram.plan += [says([start(code, kind="group")])]

    assert bots.poll(acme.company, now) == 0
    assert bots.poll(acme.company, now + timedelta(minutes=15)) == 0
    assert len(telegram.got) == 1
    assert TelegramChat.objects.get().chat_id is None


def test_code_of_one_company_is_nothing_to_the_bot_of_another(acme, rival, telegram, now):
    telegram.plan += [says({"username": "rival_bot"})]
    bots.connect_bot(company=rival.company, by=rival.owner, at=now, token=TOKEN)
    code = bots.invite(company=acme.company, person=acme.cmo, at=now).code
    bots.invite(company=rival.company, person=rival.cmo, at=now)
    telegram.plan += [says([start(code)])]

    assert bots.poll(rival.company, now) == 0


def test_message_is_plain_text_with_a_constant_number(acme, telegram, linked, now):
    telegram.plan += [refuses(502, "Bad Gateway"), says({})]

    first = send(acme, now)
    second = send(acme, now + timedelta(seconds=6))

    assert (first.state, second.state) == ("waiting", "sent")
    (_one, before), (_two, after) = asked(telegram)
    assert before == after
    assert before["chat_id"] == CHAT
    assert "parse_mode" not in before
    assert before["text"].startswith("Ждёт вашего решения. Остановить VK?")
    assert before["text"].endswith(f"Acme · № {linked.notification_id}")


def test_dead_telegram_is_asked_once_a_pass_and_holds_up_no_mail(acme, telegram, linked, settings, now):
    settings.TELEGRAM_API_URL = "http://127.0.0.1:1"
    make_decision(acme)
    events.tell(acme.company, now)

    deliveries.send_due(acme.company, now)

    rows = Delivery.objects.order_by("way", "pk").values_list("way", "state", "attempts")
    assert list(rows) == [("email", "sent", 1)] * 2 + [("telegram", "waiting", 1), ("telegram", "waiting", 0)]


def test_retry_after_is_obeyed(acme, telegram, linked, now):
    telegram.plan += [refuses(429, "Too Many Requests", parameters={"retry_after": 900})]

    row = send(acme, now)

    assert timedelta(seconds=900) <= row.next_attempt_at - now < timedelta(seconds=910)


@pytest.mark.parametrize(
    "answer", [refuses(403, "Forbidden: bot was blocked by the user"), refuses(400, "Bad Request: chat not found")]
)
def test_blocked_bot_unlinks_the_chat_and_says_so(acme, telegram, linked, sign_in, now, answer):
    telegram.plan += [answer]

    row = send(acme, now)

    chat = TelegramChat.objects.get()
    assert (row.state, row.log[-1]["code"]) == ("failed", "blocked")
    assert (chat.chat_id, chat.problem) == (None, "blocked")
    told = Notification.objects.get(key__startswith="telegram-lost")
    assert (told.person, told.shown, told.title) == (acme.cmo, True, "Telegram больше не доходит до вас")
    assert "привяжите Telegram ещё раз" in sign_in(acme.cmo).get("/c/acme/notifications/preferences/").content.decode()


def test_refused_token_is_shown_to_the_managers_and_tried_again(acme, telegram, linked, sign_in, now):
    telegram.plan += [refuses(401, "Unauthorized")]

    row = send(acme, now)

    assert (row.state, TelegramBot.objects.get().problem) == ("waiting", "token")
    assert "не принимает токен" in sign_in(acme.owner).get("/c/acme/telegram/").content.decode()


def test_quiet_person_without_a_chat_gets_no_row(acme, telegram, now):
    Progress.objects.create(company=acme.company)
    make_decision(acme)

    events.tell(acme.company, now)

    assert set(Delivery.objects.values_list("way", flat=True)) == {"email"}


def test_token_is_nowhere_to_be_seen(acme, telegram, linked, sign_in, settings, now, caplog):
    telegram.plan += [refuses(500, "oops"), (200, {}, b"<html>")]
    send(acme, now)
    send(acme, now + timedelta(seconds=6))
    settings.TELEGRAM_API_URL = "http://127.0.0.1:1"
    bots.invite(company=acme.company, person=acme.cmo, at=now)
    send(acme, now + timedelta(hours=1))
    bots.poll(acme.company, now)
    refused = sign_in(acme.owner).post("/c/acme/telegram/", {"token": TOKEN})

    kept = [repr(list(model.objects.values())) for model in (TelegramBot, AuditEvent, Delivery, Notification)]
    seen = (
        "".join(kept)
        + caplog.text
        + refused.content.decode()
        + sign_in(acme.owner).get("/c/acme/telegram/").content.decode()
    )

    assert refused.status_code == 400
    assert "canary" not in seen
    assert TelegramBot.objects.get().problem == ""


def test_unknown_token_is_refused_with_words(acme, telegram, now):
    telegram.plan += [refuses(401, "Unauthorized")]

    with pytest.raises(Refused, match="не знает такого токена"):
        bots.connect_bot(company=acme.company, by=acme.owner, at=now, token=TOKEN)
    with pytest.raises(Refused, match="не знает такого токена"):
        bots.connect_bot(company=acme.company, by=acme.owner, at=now, token="../../x")
    assert len(telegram.got) == 1


def test_another_bot_forgets_the_chats_and_the_same_one_keeps_them(acme, telegram, linked, now):
    telegram.plan += [says({"username": "acme_bot"}), says({"username": "other_bot"})]
    common = {"company": acme.company, "by": acme.owner, "at": now, "token": TOKEN}

    bots.connect_bot(**common)
    assert TelegramChat.objects.count() == 1
    bots.connect_bot(**common)
    assert TelegramChat.objects.count() == 0


def test_person_links_tests_and_unlinks_on_the_page(acme, telegram, sign_in):
    browser = sign_in(acme.contractor)
    page = browser.post("/c/acme/notifications/telegram/link/")
    code = re.search(r"/start ([\w-]+)", page.content.decode())[1]
    telegram.plan += [says([start(code)]), says({})]
    bots.poll(acme.company, timezone.now())

    tried = browser.post("/c/acme/notifications/preferences/test/", {"way": "telegram"}, follow=True).content.decode()
    assert "Telegram принял" in tried
    browser.post("/c/acme/notifications/telegram/unlink/")

    assert "no-store" in page.headers["Cache-Control"]
    assert TelegramChat.objects.count() == 0
    again = browser.post("/c/acme/notifications/preferences/test/", {"way": "telegram"}, follow=True).content.decode()
    assert "Telegram ещё не привязан" in again
