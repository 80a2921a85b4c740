"""Every button of the page of data quality, through its real form: the problem goes away, or says what is done about it."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from lxml import html

from kpis.models import DataIncident, Import, Source
from kpis.services import import_runs
from processes.models import Action

from .test_quality import NOW, TODAY, bring, days, found, healthy

PAGE = "/c/acme/data-quality/"


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


def buttons(browser, about: str) -> dict[str, str]:
    """What stands beside the problem whose words hold `about`: the word of a button → its address."""
    lines = html.fromstring(browser.get(PAGE).content.decode()).xpath("//section[@aria-labelledby='h-found']//li")
    [line] = [line for line in lines if about in line.text_content()]
    for hidden in line.xpath(".//*[@class='vh']"):
        hidden.drop_tree()
    return {" ".join(link.text_content().split()): link.get("href") for link in line.xpath(".//a")}


def send(browser, address: str, **changes):
    """The form of a page as it stands there, with these changes."""
    page = html.fromstring(browser.get(address).content.decode())
    [form] = [form for form in page.forms if form.method == "POST" and form.xpath("ancestor::main")][:1]
    given = dict(form.form_values()) | changes
    to = form.get("action") or address
    response = browser.post(to, given)
    assert response.status_code == 302, response.content.decode()
    return response.url


def load(browser, made, address: str, content: str, **changes) -> Import:
    """A file through the wizard that a button leads to."""
    upload = SimpleUploadedFile("дни.csv", content.encode())
    sent = send(browser, address, file=upload, **changes)
    send(browser, sent, act="load")
    import_runs.run_due_imports(company=made.company, at=NOW)
    return Import.objects.latest("pk")


def rows(head: str, *lines: str) -> str:
    return "\n".join([f"дата;канал;{head}", *lines]) + "\n"


def kinds(made) -> list[str]:
    return [
        one for one in ("silent", "late", "never", "gap", "jump", "no_leads", "no_source", "typed") if found(made, one)
    ]


def test_a_file_brings_a_silent_source_back(acme, sign_in):
    browser = sign_in(acme.analyst)
    bring(acme, on=days(40, skip=(1, 2, 3, 4)), spend=1000)
    bring(acme, source="crm", leads=10)
    bring(acme, source="blog", channel="blog", spend=5, leads=1)
    offered = buttons(browser, "молчит с")

    done = load(
        browser, acme, offered["Загрузить файл"],
        rows("расход", *(f"{TODAY - timedelta(days=back):%d.%m.%Y};vk;1000" for back in (1, 2, 3, 4))),
    )  # fmt: skip

    assert (done.state, done.source.code, done.created) == ("done", "ads", 4)
    assert kinds(acme) == []


def test_a_late_source_gets_another_rhythm_and_a_keeper(acme, sign_in):
    browser = sign_in(acme.analyst)
    bring(acme, source="crm", leads=10)
    bring(acme, source="blog", channel="blog", spend=5, leads=1)
    bring(acme, on=days(40, skip=(1, 2)), spend=1000)
    assert kinds(acme) == ["late"]

    send(browser, buttons(browser, "опаздывает")["Изменить источник"], owner=acme.pm.pk)
    assert any("Задача" in name for name in buttons(browser, "опаздывает"))
    send(browser, buttons(browser, "опаздывает")["Изменить источник"], expected_every_days=7)

    source = Source.objects.get(code="ads")
    assert (source.expected_every_days, source.owner) == (7, acme.pm)
    assert kinds(acme) == []


def test_a_gap_is_loaded_or_held_in_doubt(acme, sign_in):
    browser = sign_in(acme.analyst)
    healthy(acme)
    bring(acme, source="crm", on=days(40, skip=(9, 20)), deals=1)
    late, early = (f"{TODAY - timedelta(days=back):%d.%m}" for back in (9, 20))

    send(browser, buttons(browser, early)["Усомниться"])
    done = load(browser, acme, buttons(browser, late)["Загрузить файл"], rows("сделки", f"{late}.2026;vk;1"))

    incident = DataIncident.objects.get()
    assert (incident.channel, incident.first_day, incident.state) == (acme.vk, TODAY - timedelta(days=20), "open")
    assert done.source.code == "crm"
    assert [(one.first, one.in_doubt) for one in found(acme, "gap")] == [(TODAY - timedelta(days=20), True)]
    assert "Усомниться" not in buttons(browser, early)


def test_a_jump_is_looked_at_held_in_doubt_and_released(acme, sign_in):
    browser = sign_in(acme.analyst)
    healthy(acme)
    bring(acme, on=[TODAY - timedelta(days=1)], spend=9000, leads=10)
    bring(acme, on=days(63, skip=range(1, 41)), spend=1000, leads=10)
    offered = buttons(browser, "обычно")

    assert "9\xa0000" in browser.get(offered["Факты"]).content.decode()
    made = send(browser, offered["Усомниться"])
    assert [one.in_doubt for one in found(acme, "jump")] == [True]
    send(sign_in(acme.cmo), made, reason="Сверено с кабинетом: так и было")

    assert DataIncident.objects.get().state == "released"
    assert [one.in_doubt for one in found(acme, "jump")] == [False]


def test_leads_of_a_channel_that_only_spends_are_loaded(acme, sign_in):
    browser = sign_in(acme.analyst)
    bring(acme, spend=1000, leads=10)
    bring(acme, channel="blog", spend=1000)
    offered = buttons(browser, "тратит")

    content = rows("лиды", *(f"{day:%d.%m.%Y};blog;3" for day in days(40)))
    done = load(browser, acme, offered["Загрузить файл"], content, source_name="CRM", source="")

    assert (done.state, done.created) == ("done", 40)
    assert kinds(acme) == []


def test_a_channel_without_a_source_gets_one(acme, sign_in):
    browser = sign_in(acme.analyst)
    bring(acme, spend=1000, leads=10)
    offered = buttons(browser, "ни один источник")

    content = rows("лиды", *(f"{day:%d.%m.%Y};blog;3" for day in days(40)))
    load(browser, acme, offered["Загрузить файл"], content, source_name="Блог", source="")

    assert found(acme, "no_source") == []


def test_typed_figures_become_those_of_a_source(acme, sign_in):
    browser = sign_in(acme.analyst)
    healthy(acme)
    yesterday = TODAY - timedelta(days=1)
    address = f"/c/acme/facts/type/?day={yesterday}"
    send(browser, address, **{f"f-{yesterday}-{acme.vk.pk}-deals": "2"})
    offered = buttons(browser, "введена руками")
    assert browser.get(offered["Факты"]).status_code == 200

    load(browser, acme, offered["Загрузить файл"], rows("сделки", f"{yesterday:%d.%m.%Y};vk;2"), source="ads")

    assert found(acme, "typed") == []


def test_a_task_that_was_given_stands_beside_its_problem(acme, sign_in):
    browser = sign_in(acme.analyst)
    bring(acme, spend=1000, leads=10)
    [word] = [name for name in buttons(browser, "ни один источник") if "адач" in name]

    send(browser, buttons(browser, "ни один источник")[word])

    action = Action.objects.get()
    assert (action.owner, action.channel) == (acme.content, acme.blog)
    offered = buttons(browser, "ни один источник")
    assert word not in offered
    [told] = [address for name, address in offered.items() if "Задача" in name]
    assert "/processes/actions/" in told
    Action.objects.update(state=Action.State.DONE)
    assert word in buttons(browser, "ни один источник")
