"""Flags give one task while they stand; a table of accesses is written as a whole or not at all."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mops.models import Notification, Progress
from mops.notifications import events
from processes import access_table, flagging, services
from processes.models import Action, FlagTask
from roles.models import Access, AuditEvent, Contractor
from roles.services import accesses, documents

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
TABLE = "Система;Логин;Владелец;Администраторы;Каналы;2FA;Проверен;Лишнее\n"


def add(made, **fields):
    given = {
        "system": "VK",
        "identifier": "1",
        "owned_by": "company",
        "two_factor": True,
        "administrators": [made.pm, made.cmo],
    }
    return accesses.create_access(company=made.company, by=made.pm, at=NOW, today=TODAY, **given | fields)


def sweep(made, at=NOW):
    return flagging.settle_flags(company=made.company, at=at)


def test_a_flag_gives_one_task_to_whose_it_is(acme):
    add(acme, owned_by="person", owner_name="И. Громов", two_factor=False, channels=[acme.vk])

    assert sweep(acme) == (2, 0)
    assert sweep(acme, NOW + timedelta(days=1)) == (0, 0)

    told = {(task.flag, task.action.owner, task.action.due_on - TODAY) for task in FlagTask.objects.all()}
    assert told == {
        ("owned_by_person", acme.pm, timedelta(days=3)), ("no_two_factor", acme.performance, timedelta(days=7)),
    }  # fmt: skip


def test_put_right_the_task_closes_by_itself_and_comes_back_with_the_flag(acme):
    access = add(acme, two_factor=False)
    sweep(acme)
    accesses.update_access(company=acme.company, by=acme.pm, at=NOW, access=access, two_factor=True)

    assert sweep(acme) == (0, 1)
    action = Action.objects.get()
    assert (action.state, action.closed_by) == ("done", None)
    accesses.update_access(company=acme.company, by=acme.pm, at=NOW, access=access, two_factor=False)
    assert sweep(acme) == (1, 0)


def test_a_task_that_was_dropped_is_not_given_again_while_the_flag_stands(acme):
    add(acme, two_factor=False)
    sweep(acme)
    services.close_action(
        company=acme.company, by=acme.pm, at=NOW, action=Action.objects.get(), done=False, note="система не умеет"
    )

    assert sweep(acme, NOW + timedelta(days=30)) == (0, 0)
    assert Action.objects.get().state == "dropped"


def test_documents_and_contracts_have_tasks_too(acme):
    document = documents.create_document(
        company=acme.company,
        by=acme.pm,
        at=NOW,
        today=TODAY,
        title="Фото",
        url="https://t.me/+a",
        owner=acme.pm,
        channel=acme.vk,
    )
    Contractor.objects.create(
        company=acme.company, name="Кадр", scope="с", starts_on=TODAY - timedelta(days=9), ends_on=TODAY - timedelta(days=1),
        responsible=acme.content, changed_at=NOW,
    )  # fmt: skip

    assert sweep(acme) == (2, 0)
    owners = dict(FlagTask.objects.values_list("flag", "action__owner"))
    assert owners == {"personal_place": acme.performance.pk, "contract_ended": acme.content.pk}
    documents.remove_document(company=acme.company, by=acme.pm, at=NOW, document=document)
    assert sweep(acme) == (0, 1)


def test_a_morning_of_many_flags_is_one_message_per_person(acme):
    Progress.objects.create(company=acme.company)
    for number in range(5):
        add(acme, identifier=str(number), owned_by="person", owner_name="И. Громов")
    sweep(acme)
    events.tell(acme.company, NOW)

    told = [row.title for row in Notification.objects.filter(person=acme.pm)]
    assert told == ["Доступы, документы и договоры: вам 5 задач"]


def test_nothing_crosses_to_another_company(acme, rival):
    add(acme, two_factor=False)

    assert sweep(rival) == (0, 0)
    assert not FlagTask.objects.exists()


def load(made, text, keep=False, at=NOW):
    return access_table.load_accesses(
        company=made.company, by=made.pm, at=at, stream=io.BytesIO(text.encode()), keep=keep
    )


def test_a_table_is_tried_first_and_then_written_as_it_was_shown(acme):
    text = (
        TABLE
        + f"VK;1;компания;{acme.pm}, {acme.cmo.user.email};vk, Блог;да;01.11.2026;x\nДомен;2;Иван Громов;;;нет;;\n"
    )

    trial = load(acme, text)
    assert (trial.counts, trial.unknown, Access.objects.count()) == (
        {"new": 2, "changed": 0, "same": 0, "wrong": 0},
        ["Лишнее"],
        0,
    )
    assert not AuditEvent.objects.exists()

    assert load(acme, trial.text, keep=True).written
    first, second = Access.objects.order_by("identifier")
    assert {person.pk for person in first.administrators.all()} == {acme.pm.pk, acme.cmo.pk}
    assert {channel.code for channel in first.channels.all()} == {"vk", "blog"}
    assert (first.checked_on.isoformat(), first.two_factor) == ("2026-11-01", True)
    assert (second.owned_by, second.owner_name, second.two_factor) == ("person", "Иван Громов", False)
    assert load(acme, trial.text, keep=True, at=NOW + timedelta(hours=1)).counts["same"] == 2


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("VK;;;;;;;", "Логин"),
        ("VK;1;;Никто Такой;;;;", "Администраторы"),
        ("VK;1;;;радио;;;", "Каналы"),
        ("VK;1;;;;может быть;;", "Двухфакторная защита"),
        ("VK;1;;;;;позавчера;", "Последняя проверка"),
        ("VK;1;;;;;01.01.2036;", "Последняя проверка"),
        ("VK;1;подрядчик;;;;;", "Подрядчик"),
    ],
)
def test_one_wrong_row_keeps_all_of_them_out_and_says_why(acme, row, column):
    trial = load(acme, f"{TABLE}Домен;2;;;;;;\n{row}\n", keep=True)

    assert not trial.written
    assert [line.state for line in trial.rows] == ["new", "wrong"]
    assert [label for label, _message in trial.rows[1].problems] == [column]
    assert not Access.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_password_in_a_table_is_refused_and_shown_nowhere(acme, sign_in):
    text = "Система;Логин;Пароль\nVK;1;Qwerty123!\n"

    page = (
        sign_in(acme.pm)
        .post(reverse("processes:access-import", args=["acme"]), {"text": text, "keep": "1"})
        .content.decode()
    )

    assert "Это похоже на пароль" in page
    assert "Qwerty" not in page
    assert not Access.objects.exists()


def test_the_same_login_twice_in_a_table_changes_the_first(acme):
    trial = load(acme, "Система;Логин;Примечание\nVK;1;раз\nvk;1;два\n", keep=True)

    assert [row.state for row in trial.rows] == ["new", "changed"]
    assert Access.objects.get().note == "два"


def test_a_workbook_is_read_and_what_is_none_is_refused_in_words(acme, sign_in):
    from openpyxl import Workbook

    book, held = Workbook(), io.BytesIO()
    book.active.append(["Система", "Логин", "Второй фактор"])
    book.active.append(["Авито", 77, "да"])
    book.save(held)
    browser, url = sign_in(acme.pm), reverse("processes:access-import", args=["acme"])

    page = browser.post(url, {"file": SimpleUploadedFile("a.xlsx", held.getvalue())}).content.decode()
    assert "Авито: 77" in page
    wrong = browser.post(url, {"file": SimpleUploadedFile("a.csv", "Дата;Расход\n1;2\n".encode())})
    assert wrong.status_code == 400
    assert "строка заголовков с колонками «Система» и «Логин»" in wrong.content.decode()
    assert browser.post(url, {}).status_code == 400
