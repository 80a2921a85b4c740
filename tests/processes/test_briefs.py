"""The life of a brief by two sides: each takes only its own steps, the criteria are set beforehand, nobody accepts their own work."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from mops.models import Notification, Progress
from mops.notifications import events
from processes import briefing, briefs
from processes.models import Brief
from reports.selectors.today import today_page
from roles import journal, tokens
from roles.models import AuditEvent
from roles.refusals import Refused
from roles.services import contractors


@pytest.fixture
def work(acme):
    """A contract for the blog, answered for by the project manager, with the contractor's person let in; a draft."""
    now = timezone.now()
    today = acme.company.local_date(now)
    firm = contractors.create_contractor(
        company=acme.company, by=acme.pm, at=now, name="Сервис-76", scope="Сайт", starts_on=today - timedelta(days=9),
        ends_on=today + timedelta(days=90), responsible=acme.pm, channels=[acme.blog],
    )  # fmt: skip
    contractors.add_contractor_person(
        company=acme.company,
        by=acme.pm,
        at=now,
        today=today,
        contractor=firm,
        email=acme.contractor.user.email,
        invite=False,
    )
    made = SimpleNamespace(acme=acme, company=acme.company, firm=firm, now=now, today=today, theirs=acme.contractor)
    made.fields = {
        "contractor": firm, "channel": acme.blog, "title": "Форма", "text": "Ускорить", "criteria": ["за 2 с", "на iPhone"],
        "due_on": today + timedelta(days=7),
    }  # fmt: skip
    made.brief = briefing.create_brief(company=acme.company, by=acme.content, at=now, **made.fields)
    return made


def step(work, service, by, **fields):
    work.brief = service(company=work.company, by=by, at=work.now, brief=work.brief, **fields)
    return work.brief


def go(work, upto):
    """Take the brief as far as a state."""
    path = (
        ("sent", briefing.send_brief, work.acme.content, {}),
        ("accepted", briefing.take_brief, work.theirs, {}),
        ("delivered", briefing.deliver_brief, work.theirs, {"delivery_text": "готово"}),
    )  # fmt: skip
    for state, service, by, fields in path:
        step(work, service, by, **fields)
        if state == upto:
            return


def test_a_whole_life_with_a_question_and_a_rework(work):
    ours, theirs = work.acme.content, work.theirs
    step(work, briefing.send_brief, ours)
    step(work, briefing.return_brief, theirs, reason="Какая форма?")
    step(work, briefing.update_brief, ours, text="Ускорить форму замера")
    step(work, briefing.send_brief, ours)
    step(work, briefing.take_brief, theirs)
    step(work, briefing.deliver_brief, theirs, delivery_url="https://stage.example/1")
    step(work, briefing.return_work, ours, reason="На iPhone 5 с")
    step(work, briefing.deliver_brief, theirs, delivery_text="Поправили")
    done = step(work, briefing.accept_work, ours, met=[0, 1])

    assert (done.state, done.returns, done.judged_by) == ("done", 1, ours)
    assert [row["met"] for row in done.criteria] == [True, True]
    told = [line.event.verb for line in journal.journal(company=work.company, obj=done).lines]
    assert told[::-1] == [
        "create_brief", "send_brief", "return_brief", "update_brief", "send_brief", "take_brief", "deliver_brief", "return_work",
        "deliver_brief", "accept_work",
    ]  # fmt: skip


@pytest.mark.parametrize("met", [[], [0], [1]])
def test_work_is_accepted_by_all_its_criteria_or_not_at_all(work, met):
    go(work, "delivered")
    with pytest.raises(Refused) as refused:
        step(work, briefing.accept_work, work.acme.pm, met=met)

    assert refused.value.errors[0].field == "met"
    assert Brief.objects.get().state == "delivered"


@pytest.mark.parametrize("service", [briefing.take_brief, briefing.deliver_brief, briefing.return_brief])
def test_the_company_takes_no_step_of_the_contractors(work, service):
    go(work, "sent")
    for person in (work.acme.owner, work.acme.pm, work.acme.content):
        with pytest.raises(briefing.NotYours):
            step(work, service, person, **({"reason": "x"} if service is briefing.return_brief else {}))


def test_the_contractor_takes_no_step_of_the_companys_and_never_judges(work):
    with pytest.raises(briefing.NotYours):
        step(work, briefing.send_brief, work.theirs)
    go(work, "delivered")
    for service, fields in (
        (briefing.accept_work, {"met": [0, 1]}), (briefing.return_work, {"reason": "x"}), (briefing.cancel_brief, {"reason": "x"}),
    ):  # fmt: skip
        with pytest.raises(briefing.NotYours):
            step(work, service, work.theirs, **fields)


@pytest.mark.parametrize("person", ["analyst", "cmo", "performance"])
def test_who_has_nothing_to_do_with_the_contract_only_reads(work, person):
    someone = getattr(work.acme, person)
    assert briefs.may_see(person=someone, brief=work.brief)
    with pytest.raises(briefing.NotYours):
        step(work, briefing.send_brief, someone)


def test_criteria_and_text_are_fixed_once_it_is_sent(work):
    go(work, "sent")
    with pytest.raises(briefing.WrongState):
        step(work, briefing.update_brief, work.acme.content, criteria=["проще"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"criteria": []}, "criteria"),
        ({"channel": "vk"}, "channel"),
        ({"channel": None}, "channel"),
        ({"days": -1}, "due_on"),
        ({"days": 91}, "due_on"),
        ({"title": ""}, "title"),
    ],
)
def test_a_brief_stays_within_its_contract_and_says_how_it_is_judged(work, changed, field):
    fields = dict(work.fields)
    if "days" in changed:
        fields["due_on"] = work.today + timedelta(days=changed["days"])
    elif changed.get("channel") == "vk":
        fields["channel"] = work.acme.vk
    else:
        fields |= changed
    with pytest.raises(Refused) as refused:
        briefing.create_brief(company=work.company, by=work.acme.pm, at=work.now, **fields)

    assert refused.value.errors[0].field == field


def test_a_brief_that_nobody_would_read_is_not_sent(work):
    contractors.remove_contractor_person(
        company=work.company, by=work.acme.pm, at=work.now, today=work.today, contractor=work.firm, person=work.theirs
    )
    with pytest.raises(briefing.NobodyThere):
        step(work, briefing.send_brief, work.acme.content)


def test_a_delivery_shows_something(work):
    go(work, "accepted")
    for fields in ({}, {"delivery_url": "javascript:alert(1)"}, {"delivery_url": "просто"}):
        with pytest.raises(Refused) as refused:
            step(work, briefing.deliver_brief, work.theirs, **fields)
        assert refused.value.errors[0].field == "delivery_url"


def test_the_contractor_sees_what_was_sent_by_the_own_contract_until_its_end(work, sign_in):
    browser = sign_in(work.theirs)
    url = reverse("processes:brief-detail", args=["acme", work.brief.pk])
    assert browser.get(url).status_code == 403, "a draft is nobody else's"

    go(work, "sent")
    assert browser.get(url).status_code == 200
    assert "Форма" in browser.get(reverse("processes:brief-list", args=["acme"])).content.decode()

    work.firm.ends_on, work.firm.starts_on = work.today - timedelta(days=1), work.today - timedelta(days=9)
    work.firm.save()
    assert browser.get(url).status_code == 403
    assert "Форма" not in browser.get(reverse("processes:brief-list", args=["acme"])).content.decode()


def test_the_next_step_stands_on_the_first_page_of_whose_it_is(work):
    def due(person):
        return [
            item.title
            for item in today_page(company=work.company, person=person, at=work.now).due
            if "Форма" in item.title
        ]

    assert due(work.theirs) == []
    go(work, "sent")
    assert (len(due(work.theirs)), due(work.acme.pm), due(work.acme.content)) == (1, [], [])
    step(work, briefing.take_brief, work.theirs)
    step(work, briefing.deliver_brief, work.theirs, delivery_text="готово")
    assert (due(work.theirs), len(due(work.acme.pm)), len(due(work.acme.content)), due(work.acme.cmo)) == ([], 1, 1, [])


def test_each_side_is_told_of_the_others_step(work):
    Progress.objects.create(company=work.company)
    go(work, "delivered")
    events.tell(work.company, work.now)

    told = {(row.person, row.title.partition(":")[0]) for row in Notification.objects.filter(title__contains="Форма")}
    taken, delivered = "Подрядчик взял задание в работу", "Сдано, ждёт приёмки"
    assert told == {
        (work.theirs, "Вам задание"), (work.acme.pm, taken), (work.acme.content, taken), (work.acme.pm, delivered),
        (work.acme.content, delivered),
    }  # fmt: skip


def test_two_tabs_judge_once(work, sign_in):
    go(work, "delivered")
    browser = sign_in(work.acme.pm)
    url = reverse("processes:brief-accept", args=["acme", work.brief.pk])

    first = browser.post(url, {"met": ["0", "1"]})
    second = browser.post(url, {"met": ["0", "1"]})

    assert (first.status_code, second.status_code) == (302, 409)
    assert AuditEvent.objects.filter(verb="accept_work").count() == 1


def test_an_old_reason_is_no_headline_of_a_new_delivery(work, sign_in):
    go(work, "delivered")
    ours, page = sign_in(work.acme.content), reverse("processes:brief-detail", args=["acme", work.brief.pk])
    step(work, briefing.return_work, work.acme.content, reason="Опечатки")
    assert "На доработке.</b> Опечатки" in ours.get(page).content.decode()

    step(work, briefing.deliver_brief, work.theirs, delivery_text="Поправили")
    assert "</b> Опечатки" not in ours.get(page).content.decode()


def test_a_refused_step_is_shown_where_it_was_taken(work, sign_in):
    go(work, "delivered")
    answer = sign_in(work.acme.pm).post(
        reverse("processes:brief-rework", args=["acme", work.brief.pk]), {"reason": " "}
    )

    assert answer.status_code == 400
    assert "без неё непонятно, что менять" in answer.content.decode()


def test_the_api_writes_sends_and_judges(work, sign_in):
    browser = sign_in(work.acme.pm)
    body = {
        "contractor": work.firm.pk, "channel": "blog", "title": "Т", "text": "Т", "criteria": ["раз"], "due_on": str(work.today),
    }  # fmt: skip
    made = browser.post("/api/v1/c/acme/briefs/", body, content_type="application/json")
    url = f"/api/v1/c/acme/briefs/{made.json()['id']}/"

    assert made.status_code == 201
    assert browser.patch(url, {"title": "Тише"}, content_type="application/json").json()["title"] == "Тише"
    assert browser.post(f"{url}send/").json()["state"] == "sent"
    assert browser.post(f"{url}send/").status_code == 409
    judged = browser.post(f"{url}accept-work/", {"met": [0]}, content_type="application/json")
    assert (judged.status_code, judged.json()["type"] != "") == (409, True)
    assert browser.get("/api/v1/c/acme/briefs/?state=sent").json()["results"][0]["title"] == "Тише"


def test_the_contractor_answers_by_the_api(work, sign_in):
    browser = sign_in(work.theirs)
    url = f"/api/v1/c/acme/briefs/{work.brief.pk}/"
    assert browser.get(url).status_code == 404, "a draft is nobody else's"
    go(work, "sent")

    assert [row["id"] for row in browser.get("/api/v1/c/acme/briefs/").json()["results"]] == [work.brief.pk]
    assert sign_in(work.acme.pm).post(f"{url}take/").status_code == 403, "the step is the contractor's"
    assert browser.post(f"{url}return/", {"reason": " "}, content_type="application/json").status_code == 400
    assert browser.post(f"{url}take/").json()["state"] == "accepted"
    assert browser.post(f"{url}take/").status_code == 409
    assert browser.post(f"{url}deliver/", {}, content_type="application/json").status_code == 400
    delivered = browser.post(f"{url}deliver/", {"delivery_text": "готово"}, content_type="application/json").json()
    assert (delivered["state"], delivered["delivery_text"]) == ("delivered", "готово")
    assert browser.post(f"{url}accept-work/", {"met": [0, 1]}, content_type="application/json").status_code == 403


def test_a_token_for_own_tasks_takes_a_brief_and_nothing_else(work, client):
    go(work, "sent")

    def post(scope, path):
        key = tokens.create_token(
            company=work.company, person=work.theirs, by=work.theirs, name=scope, scopes=[scope], at=work.now
        )[1]
        return client.post(f"/api/v1/c/acme/{path}", headers={"Authorization": f"Bearer {key}"})

    url = f"briefs/{work.brief.pk}/take/"
    for scope in ("read", "reports:write"):
        assert post(scope, url).status_code == 403
    assert post("tasks:write", url).json()["state"] == "accepted"
    assert post("tasks:write", f"briefs/{work.brief.pk}/accept-work/").status_code == 403, "a scope adds no right"
    assert post("tasks:write", "handovers/").status_code in {403, 405}


def test_the_contractor_returns_a_brief_by_the_api(work, sign_in):
    go(work, "sent")
    url = f"/api/v1/c/acme/briefs/{work.brief.pk}/return/"
    answer = sign_in(work.theirs).post(url, {"reason": "Нет макета"}, content_type="application/json").json()
    assert (answer["state"], answer["reason"]) == ("returned", "Нет макета")


def test_the_api_hides_a_brief_of_another_contract(work, sign_in):
    go(work, "sent")
    other = contractors.create_contractor(
        company=work.company, by=work.acme.pm, at=work.now, name="Чужая", scope="x", starts_on=work.today,
        ends_on=work.today + timedelta(days=90), responsible=work.acme.pm,
    )  # fmt: skip
    Brief.objects.filter(pk=work.brief.pk).update(contractor=other)
    browser = sign_in(work.theirs)
    url = f"/api/v1/c/acme/briefs/{work.brief.pk}/"

    assert browser.get("/api/v1/c/acme/briefs/").json()["results"] == []
    assert browser.get(url).status_code == 404
    for step_name in ("take", "return", "deliver"):
        body = {"reason": "x", "delivery_text": "x"}
        assert browser.post(f"{url}{step_name}/", body, content_type="application/json").status_code == 404
    work.brief.refresh_from_db()
    assert work.brief.state == "sent"


def test_a_brief_is_offered_the_channels_of_its_contract_alone(work, sign_in):
    browser, path = sign_in(work.acme.pm), reverse("processes:brief-create", args=["acme"])

    form = browser.get(path).context["form"]
    assert list(form.fields["channel"].queryset) == [work.acme.blog]
    assert form["channel"].value() == work.acme.blog.pk
    edited = browser.get(reverse("processes:brief-update", args=["acme", work.brief.pk])).context["form"]
    assert list(edited.fields["channel"].queryset) == [work.acme.blog]

    whole = contractors.create_contractor(
        company=work.company, by=work.acme.pm, at=work.now, name="Всё сразу", scope="x", starts_on=work.today,
        ends_on=work.today + timedelta(days=90), responsible=work.acme.pm,
    )  # fmt: skip
    choice = browser.get(path).content.decode()
    assert f"?contractor={work.firm.pk}" in choice
    assert f"?contractor={whole.pk}" in choice
    free = browser.get(f"{path}?contractor={whole.pk}").context["form"]
    assert set(free.fields["channel"].queryset) == {work.acme.vk, work.acme.blog}
    posted = {"title": "Статьи", "text": "Пять", "criteria": "вышли", "due_on": work.fields["due_on"]}
    refused = browser.post(f"{path}?contractor={work.firm.pk}", posted | {"channel": work.acme.vk.pk})
    assert refused.status_code == 400
    done = browser.post(f"{path}?contractor={work.firm.pk}", posted | {"channel": work.acme.blog.pk})
    assert done.status_code == 302
    assert Brief.objects.get(title="Статьи").contractor == work.firm
