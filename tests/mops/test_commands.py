from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from kpis.models import Import
from mops import clockwork, pulse
from mops.models import Notification
from roles.models import ApiToken, AuditEvent, Company, CompanyOwned, Membership, User
from roles.tenancy import our_models
from tests.mops.conftest import make_breach, make_decision, make_load, make_report


def output(command: str, /, **options) -> str:
    out = StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


# ------------------------------------------------------------------ create_token
def test_token_stands_alone_on_the_last_line_and_works(acme, client):
    secret = output("create_token", company="acme", email="PM@acme.example", scopes="read,facts:write").splitlines()[-1]

    assert client.get("/api/v1/c/acme/people/", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    token = ApiToken.objects.get()
    assert (token.person, token.scopes) == (acme.pm, ["facts:write", "read"])
    assert AuditEvent.objects.filter(verb="create_token", by=None).exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"company": "nobody"}, "no company"),
        ({"email": "nobody@acme.example"}, "nobody"),
        ({"email": "pm@rival.example"}, "nobody"),
        ({"scopes": "read,all"}, "facts:write"),
        ({"scopes": ""}, "read"),
        ({"days": 0}, "--days"),
    ],
)
def test_token_is_refused_in_words(acme, rival, options, words):
    with pytest.raises(CommandError, match=words):
        output("create_token", **{"company": "acme", "email": "pm@acme.example", "scopes": "read"} | options)

    assert not ApiToken.objects.exists()


# ------------------------------------------------------------------ run_day
@pytest.fixture
def passes(monkeypatch):
    ran = []
    monkeypatch.setattr(clockwork, "run_company", lambda company_id, at: ran.append((company_id, at)))
    return ran


def local(company, passes) -> list[str]:
    return [f"{at.astimezone(company.zone):%d %H:%M}" for _company, at in passes]


def test_friday_has_all_its_moments_in_order(acme, rival, passes):
    output("run_day", company="acme", date="2026-11-20")

    assert local(acme.company, passes) == [
        "20 00:00",
        "20 06:00",
        "20 12:00",
        "20 16:00",
        "20 18:00",
        "20 18:30",
        "20 23:59",
    ]
    assert {company_id for company_id, _at in passes} == {acme.company.pk}


def test_monday_recalls_and_ends_the_plan(acme, passes):
    output("run_day", company="acme", date="2026-11-23")

    assert local(acme.company, passes) == [
        "23 00:00",
        "23 06:00",
        "23 08:00",
        "23 09:00",
        "23 09:30",
        "23 12:00",
        "23 23:59",
    ]


def test_moments_are_the_companys_own(acme, passes):
    acme.company.timezone = "Asia/Vladivostok"
    acme.company.evaluate_at = "07:30"
    acme.company.save()

    output("run_day", company="acme", date="2026-11-20")

    assert local(acme.company, passes)[:3] == ["20 00:00", "20 07:30", "20 12:00"]


def test_waiting_decision_is_recalled_at_its_own_time(acme, passes, now):
    make_decision(acme, opened_at=now - timedelta(days=1, minutes=3))

    output("run_day", company="acme", date="2026-11-20")

    assert "20 15:17" in local(acme.company, passes)


@pytest.mark.parametrize("name", ["Europe/Berlin", "America/Santiago", "Africa/Cairo"])
def test_every_day_of_a_year_has_its_moments_once(acme, name):
    acme.company.timezone = name
    seen = []
    for number in range(365):
        seen += clockwork.moments_of(company=acme.company, day=date(2026, 1, 1) + timedelta(days=number))

    assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    ("company", "day", "words"), [("nobody", "2026-11-20", "no company"), ("acme", "20.11.2026", "YYYY")]
)
def test_run_day_is_refused_in_words(acme, company, day, words):
    with pytest.raises(CommandError, match=words):
        output("run_day", company=company, date=day)


# ------------------------------------------------------------------ check_tenancy
def test_check_tenancy_is_content_with_a_sound_database(acme, rival):
    assert "No row" in output("check_tenancy")


def test_check_tenancy_lists_what_crosses(acme, rival):
    from kpis.models import DailyFact, Source

    source = Source.objects.create(company=rival.company, code="crm", name="CRM", kind="file")
    DailyFact.objects.create(company=acme.company, day=date(2026, 11, 20), channel=acme.vk, source=source, load_id=1)

    with pytest.raises(CommandError, match="1 places"):
        output("check_tenancy")


def test_check_tenancy_looks_at_the_evaluation_log_too(acme, rival):
    from kpis.models import EvaluationLog

    EvaluationLog.objects.create(
        company=acme.company, version=make_breach(acme).version, day=date(2026, 11, 20), channel=rival.vk,
        day_class="ok", state="ok",
    )  # fmt: skip

    with pytest.raises(CommandError, match="1 places"):
        output("check_tenancy")


# ------------------------------------------------------------------ delete_company
def test_delete_company_takes_everything_of_it_and_nothing_else(acme, rival, now, django_capture_on_commit_callbacks):
    decision = make_decision(acme)
    make_load(acme, state="done")
    make_report(acme)
    Notification.objects.create(company=acme.company, person=acme.cmo, key="k", title="t", created_at=now)
    both = Membership.objects.create(company=rival.company, user=acme.cmo.user, joined_on=now.date())
    before = rows_of(rival.company)
    assert decision.pk

    with django_capture_on_commit_callbacks(execute=True):
        said = output("delete_company", company="acme", yes=True)

    assert "Acme is gone" in said
    assert not Company.objects.filter(slug="acme").exists()
    assert rows_of(acme.company) == 0
    assert rows_of(rival.company) == before
    assert User.objects.filter(pk=both.user_id).exists()
    assert not User.objects.filter(email="pm@acme.example").exists()
    connection.check_constraints()


def rows_of(company) -> int:
    return sum(m.objects.filter(company=company).count() for m in our_models() if issubclass(m, CompanyOwned))


def test_delete_company_takes_its_files(acme, now, django_capture_on_commit_callbacks):
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    load = make_load(acme, state="done")
    load.file.save("a.csv", ContentFile(b"a"))
    assert default_storage.exists(load.file.name)

    with django_capture_on_commit_callbacks(execute=True):
        output("delete_company", company="acme", yes=True)

    assert not default_storage.exists(load.file.name)
    assert not Import.objects.exists()


def test_delete_company_asks_first(acme, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _prompt: "no")

    with pytest.raises(CommandError, match="Nothing was deleted"):
        output("delete_company", company="acme")

    assert Company.objects.filter(slug="acme").exists()


# ------------------------------------------------------------------ healthy
def test_healthy_while_sweeps_happen(db):
    with pytest.raises(CommandError, match="never"):
        output("healthy")
    pulse.beat(timezone.now())
    assert output("healthy") == "ok\n"
    pulse.beat(timezone.now() - timedelta(minutes=5))
    with pytest.raises(CommandError, match="beat"):
        output("healthy")


# ------------------------------------------------------------------ create_company
START = {"slug": "beta", "name": "Beta", "owner": "Boss@beta.example"}


def test_create_company_with_a_new_owner(db, monkeypatch, client):
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "long-and-unlikely-7")

    output("create_company", **START)

    person = Membership.objects.get(company__slug="beta")
    assert (person.user.email, [hat.kind for hat in person.hats]) == ("boss@beta.example", ["owner"])
    assert client.login(email="boss@beta.example", password="long-and-unlikely-7")


def test_create_company_for_somebody_with_a_login(acme):
    output("create_company", **START | {"owner": "cmo@acme.example"})

    assert Membership.objects.filter(user=acme.cmo.user).count() == 2


@pytest.mark.parametrize(
    ("options", "password", "words"),
    [
        ({}, "short", "short"),
        ({"owner": "nobody"}, "long-and-unlikely-7", "email"),
        ({"slug": "acme"}, "long-and-unlikely-7", "taken"),
        ({"timezone": "Moscow"}, "long-and-unlikely-7", "time zone"),
    ],
)
def test_create_company_is_refused_in_words_and_leaves_nothing(acme, monkeypatch, options, password, words):
    monkeypatch.setattr("getpass.getpass", lambda _prompt: password)

    with pytest.raises(CommandError, match=words):
        output("create_company", **START | options)

    assert not User.objects.filter(email="boss@beta.example").exists()
    assert Company.objects.count() == 1
