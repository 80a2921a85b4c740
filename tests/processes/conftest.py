"""A channel whose CPA has been over the line for four days: the breach of the design's decision page, in both companies."""

import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from kpis.models import Breach, DailyFact, Kpi, KpiVersion, RuleState, Source, StopRule, StopRuleVersion
from processes import services

collect_ignore = [] if os.environ.get("DATABASE_URL") else ["test_races.py"]
"""SQLite lets one writer in at a time and so hides races: they are run where a real server stands."""

NOW = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
OPENED = datetime(2026, 11, 19, 3, 10, tzinfo=UTC)
HOURS_49 = OPENED + timedelta(hours=49)
PAIRS = {
    date(2026, 11, 13): (29_900, 9),
    date(2026, 11, 14): (27_650, 9),
    date(2026, 11, 15): (27_610, 8),
    date(2026, 11, 16): (39_200, 8),
    date(2026, 11, 17): (37_100, 7),
    date(2026, 11, 18): (40_250, 7),
    date(2026, 11, 19): (38_640, 7),
}
BREACHING = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19"]


def add_rule(made, number=1, action="stop", channel=None, line=Decimal(3500)) -> StopRuleVersion:
    """A CPA rule in force: 3 days in a row above the line."""
    common = {
        "company": made.company, "valid_from": date(2026, 1, 1), "reason": "start", "created_at": OPENED, "created_by": made.cmo,
    }  # fmt: skip
    kpi, is_new = Kpi.objects.get_or_create(company=made.company, code="cpa")
    if is_new:
        KpiVersion.objects.create(
            **common,
            kpi=kpi,
            name_ru="CPA",
            name_en="CPA",
            formula="spend / qualified_leads",
            better="lower",
            unit="money",
        )
    rule = StopRule.objects.create(company=made.company, number=number)
    return StopRuleVersion.objects.create(
        **common, rule=rule, name="CPA выше порога", kpi=kpi, comparison="above", line=line, window="in_a_row", n=3,
        channel=channel or made.vk, owner=made.analyst, zero_line=10_500, max_span=7, action=action,
    )  # fmt: skip


def add_facts(made, channel, campaign=None, factor=1) -> None:
    source, _new = Source.objects.get_or_create(
        company=made.company, code="crm", defaults={"name": "CRM", "kind": "file"}
    )
    for day, (spend, leads) in PAIRS.items():
        DailyFact.objects.create(
            company=made.company, day=day, channel=channel, campaign_id=campaign.pk if campaign else 0, source=source,
            load_id=0, spend=spend * factor, qualified_leads=leads,
        )  # fmt: skip


def add_breach(made, version, channel=None, campaign=None, **fields) -> Breach:
    values = {
        "first_day": date(2026, 11, 16), "opened_on": date(2026, 11, 18), "days": BREACHING, "detected_at": OPENED,
    } | fields  # fmt: skip
    RuleState.objects.create(
        company=made.company, version=version, channel=channel or made.vk, campaign=campaign, state="firing",
        last_day=max(PAIRS),
    )  # fmt: skip
    return Breach.objects.create(
        company=made.company,
        rule=version.rule,
        version=version,
        channel=channel or made.vk,
        campaign=campaign,
        **values,
    )


def open_one(made, *, at=OPENED):
    """The decision that the breach of `made` opens."""
    (decision,) = services.open_decisions(company=made.company, at=at)
    return decision


def burning(made, action="stop", factor=1) -> SimpleNamespace:
    made.version = add_rule(made, action=action)
    made.breach = add_breach(made, made.version)
    add_facts(made, made.vk, factor=factor)
    made.decision = open_one(made)
    return made


@pytest.fixture
def house(acme):
    """acme with a decision that has waited since yesterday morning."""
    acme.company.language = "ru"
    return burning(acme)


@pytest.fixture
def rival_house(rival):
    return burning(rival, factor=999)


def sign(made, by=None, *, at=NOW, choice="stop", reason="Заявки вдвое дороже", decision=None, **terms):
    """Sign the decision of `made` as its CMO, with what the choice needs."""
    from processes.terms import Terms

    needs = {
        "continue": {"until": TODAY + timedelta(days=7)},
        "rewrite": {"assignee": made.content.pk, "due": TODAY + timedelta(days=4)},
        "cut": {"budget": 100_000},
    }.get(choice, {})
    return services.sign_decision(
        company=made.company, decision=decision or made.decision, by=by or made.cmo, at=at, choice=choice, reason=reason,
        terms=Terms(**(needs | terms)),
    )  # fmt: skip
