"""The sample company tells the story of the mock-ups, from any day on; its figures come through the services."""

from datetime import UTC, datetime, timedelta

import pytest
from django_scopes import scope, scopes_disabled

from kpis.models import DailyFact, DataIncident
from kpis.selectors.quality import data_quality
from mops.demo import late_figures, seed, world
from mops.demo import people as cast
from processes import overrides
from processes.account_page import account_page
from processes.models import Decision, Review
from processes.selectors import waiting_decisions
from processes.services import sign_decision
from processes.terms import Terms
from reports.models import WeeklyReport
from reports.selectors.figures import figures_of
from reports.selectors.summary import week_summary
from roles.models import Campaign, Channel, Company, Membership

FRIDAY = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
WEDNESDAY = FRIDAY + timedelta(days=5)


def figures(company):
    return list(
        DailyFact.objects.filter(company=company).order_by("day", "channel_id", "campaign_id", "source_id")
        .values_list("day", "channel__code", "spend", "leads", "revenue")
    )  # fmt: skip


def test_the_sample_company_tells_its_story(db):
    company = seed.seed(now=FRIDAY)

    burning = waiting_decisions(company=company, at=FRIDAY)
    assert [row.decision.channel.code for row in burning] == ["vk", "seo", "mail"]
    assert [row.overdue for row in burning] == [True, True, True]
    assert burning[0].burned > burning[1].burned > 0
    assert burning[1].waits > timedelta(hours=48)
    signed = Decision.objects.filter(company=company, state="signed").order_by("signed_at")
    assert [row.choice for row in signed] == ["stop", "rewrite", "continue", "rewrite", "continue", "continue"]
    assert [row.signatures.count() for row in signed] == [1, 1, 2, 2, 2, 1]
    found = Review.objects.filter(company=company).order_by("opened_at")
    assert [row.state for row in found] == ["done"] * 4 + ["open"]
    owner = Membership.objects.get(user__email=f"owner@{cast.DOMAIN}")
    (runs,) = overrides.running(company=company, person=owner, at=FRIDAY)
    assert (runs.decision.channel.code, runs.day, runs.days) == ("avito", 7, 12)
    assert runs.paid > 0
    assert not Membership.objects.filter(company=company, user__last_login=None).exists(), "who files has signed in"
    page = account_page(company=company, label="", at=FRIDAY)
    assert page.chosen.sheet.total.kept > 0
    assert page.chosen.sheet.total.paid is not None
    assert page.plot is not None
    reports = WeeklyReport.objects.filter(company=company)
    assert reports.filter(plan_timeliness="late").exists()
    assert reports.filter(timeliness="missed").exists()
    assert DataIncident.objects.filter(company=company, channel__code="maps", state="open").exists()
    assert DataIncident.objects.filter(company=company, channel__code="blog", kind="doubt", state="open").exists()
    typed = DailyFact.objects.get(company=company, source__kind="manual")
    assert (typed.channel.code, typed.impressions) == ("pr", late_figures.REACH)
    assert Channel.objects.filter(company=company).count() == 9
    assert DailyFact.objects.filter(company=company).latest("day").day == FRIDAY.date() - timedelta(days=1)
    assert not DailyFact.objects.filter(company=company, spend=seed.RIVAL_FIGURE).exists()
    before = figures(company)

    seed.seed(now=FRIDAY)
    assert figures(company) == before

    seed.seed(now=FRIDAY + timedelta(days=3))
    after = figures(company)
    assert after[: len(before)] == before
    assert after[-1][0] == FRIDAY.date() + timedelta(days=2)
    assert Company.objects.filter(slug="rival").count() == 1


def test_a_mailing_is_in_question_and_the_next_one_waits_for_its_rewrite(db):
    company = seed.seed(now=WEDNESDAY)
    with scope(company=company):
        decision = Decision.objects.get(channel__code="mail", state="open")
        cmo = Membership.objects.get(user__email=f"cmo@{cast.DOMAIN}")
        author = decision.channel.owner
        sign_decision(
            company=company, decision=decision, by=cmo, at=WEDNESDAY, choice="rewrite", reason="Письмо не о том",
            terms=Terms(assignee=author.pk, due=WEDNESDAY.date() + timedelta(days=3)),
        )  # fmt: skip
        mailings = Campaign.objects.filter(channel__code="mail")
        before = mailings.count()

        seed.seed(now=WEDNESDAY + timedelta(days=7))

        assert before == 10
        assert mailings.count() == before
        assert decision.campaign.series == "Письма подписчикам"


@pytest.mark.parametrize("back", range(7))
def test_whatever_day_it_is_one_settled_mailing_is_bad(back):
    anchor = FRIDAY.date() - timedelta(days=back)

    day = world.bad_mailing(anchor)

    assert world.goes_out(day)
    assert timedelta(days=3) <= anchor - day <= timedelta(days=9)


@pytest.mark.parametrize("day", [FRIDAY.date(), FRIDAY.date() - timedelta(days=300)])
def test_a_day_is_the_same_whenever_it_is_asked(day):
    with scopes_disabled():
        assert list(world.rows(day, FRIDAY.date())) == list(world.rows(day, FRIDAY.date()))


def test_a_stopped_channel_brings_no_figures():
    told = {row.channel for row in world.rows(FRIDAY.date(), FRIDAY.date(), frozenset({"vk"}))}

    assert "vk" not in told
    assert len(told) == 8


@pytest.mark.parametrize("now", [FRIDAY, WEDNESDAY, FRIDAY + timedelta(days=3)])
def test_figures_are_silent_missing_and_restated(db, now):
    company = seed.seed(now=now)

    analyst = Membership.objects.get(user__email=f"analyst@{cast.DOMAIN}")
    found = {(one.kind, one.subject) for one in data_quality(company=company, person=analyst, at=now).findings}
    assert {("silent", "Метрика, старый счётчик"), ("gap", "Карты и отзывы"), ("no_leads", "Карты и отзывы")} <= found
    day = late_figures.restated_day(company.local_date(now))
    report = WeeklyReport.objects.get(company=company, channel__code="site", week=day - timedelta(days=day.weekday()))
    [line] = [
        row for row in figures_of(company=company, reports=[report], at=now)[report.pk].lines if row.measure == "leads"
    ]
    assert line.restated - line.snapshot == late_figures.LATE_LEADS
    assert line.later - line.final == late_figures.LATE_LEADS
    changed = {
        row.code: row.restated
        for row in week_summary(company=company, week=report.week, at=now).figures
        if row.restated
    }
    assert set(changed) == {"qualified_leads", "cpa"}
    assert changed["qualified_leads"].now - changed["qualified_leads"].was == late_figures.LATE_QUALIFIED
