"""From facts to the owner's page, through the doors that integrations and people use; figures worked out by hand.

Facts of two weeks come over the API; a rule fires in the pass that the load asks for; the CMO stops the channel; its
owner files the week; the owner reads the money. `rival` loads absurd figures meanwhile: none of them may appear.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail
from django.test import Client

from kpis.periods import month_start
from kpis.services import kpis, stop_rules, targets
from mops import pipeline
from processes.models import Action, Signature
from reports.models import DashboardSnapshot
from roles import tokens
from roles.models import AuditEvent, Channel

FRIDAY = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
TODAY = FRIDAY.date()
START = date(2026, 11, 9)
SCOPES = ["read", "facts:write", "reports:write", "decisions:write"]


class Caller:
    """A person's program: bearer token, JSON."""

    def __init__(self, person):
        _token, secret = tokens.create_token(
            company=person.company, person=person, by=person, name="journey", scopes=SCOPES, at=FRIDAY
        )
        self.http, self.slug = Client(), person.company.slug
        self.headers = {"Authorization": f"Bearer {secret}"}

    def get(self, path: str):
        answer = self.http.get(f"/api/v1/c/{self.slug}/{path}", headers=self.headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def post(self, path: str, body: dict, expect: int = 200, **headers):
        answer = self.http.post(
            f"/api/v1/c/{self.slug}/{path}", body, content_type="application/json", headers=self.headers | headers
        )
        assert answer.status_code == expect, answer.content
        return answer.json()


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(FRIDAY, tick=False):
        yield


def prepare(made) -> None:
    kpis.install_builtin_kpis(company=made.company, at=FRIDAY)
    for code, value in (("spend", 600_000), ("qualified_leads", 200), ("gross_profit", 1_500_000), ("cpa", 3_000)):
        targets.set_target(
            company=made.company, by=made.cmo, at=FRIDAY, measure=code, channel=made.vk, month=month_start(START),
            value=Decimal(value), reason="Медиаплан",
        )  # fmt: skip
    stop_rules.create_stop_rule(
        company=made.company, by=made.cmo, at=FRIDAY, name="CPA VK", kpi="cpa", comparison="above", line=Decimal(3_500),
        window="in_a_row", n=3, channel=made.vk, action="stop",
    )  # fmt: skip


def facts(factor: int = 1) -> list[dict]:
    """Eleven days: VK costs 24 000 for 8 a day, from the 17th 40 000 for 8; the blog 5 000 for 4."""
    rows = []
    for number in range((TODAY - START).days):
        day = START + timedelta(days=number)
        spend = 40_000 if day >= date(2026, 11, 17) else 24_000
        rows.append({"channel": "vk", "date": day.isoformat(), "spend": f"{spend * factor}.00", "leads": 12 * factor,
                     "qualified_leads": 8, "deals": 1, "revenue": f"{200_000 * factor}", "gross_profit": f"{70_000 * factor}"})  # fmt: skip
        rows.append({"channel": "blog", "date": day.isoformat(), "spend": f"{5_000 * factor}", "leads": 6 * factor,
                     "qualified_leads": 4, "deals": 1, "revenue": f"{100_000 * factor}", "gross_profit": f"{35_000 * factor}"})  # fmt: skip
    return rows


def test_from_facts_to_the_owners_page(acme, rival, sign_in):
    for made, factor in ((acme, 1), (rival, 999)):
        prepare(made)
        Caller(made.analyst).post("facts/", {"source": "crm", "facts": facts(factor)})
    analyst, cmo, channel_owner, owner = (
        Caller(getattr(acme, who)) for who in ("analyst", "cmo", "performance", "owner")
    )

    again = analyst.post("facts/", {"source": "crm", "facts": facts()})
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 22)

    for made in (acme, rival):
        pipeline.run_company(made.company.pk, FRIDAY)
        pipeline.run_company(made.company.pk, FRIDAY)
    (decision,) = cmo.get("decisions/?state=open")["results"]
    assert decision["subject"]["channel"] == "vk"
    # three days × (40 000 − 3 500 × 8)
    assert Decimal(decision["burned_since"]) == 36_000
    assert Decimal(decision["money_at_stake"]) == 12_000
    assert any(acme.cmo.user.email in message.to for message in mail.outbox)

    sign = {"choice": "stop", "reason": "Выгорела аудитория", "resume_on": "2026-12-01"}
    channel_owner.post(f"decisions/{decision['id']}/sign/", sign, expect=403)
    cmo.post(f"decisions/{decision['id']}/sign/", sign, **{"Idempotency-Key": "once"})
    cmo.post(f"decisions/{decision['id']}/sign/", sign, **{"Idempotency-Key": "once"})
    late = cmo.post(f"decisions/{decision['id']}/sign/", sign, expect=409)
    assert late["signed_by"]
    assert Signature.objects.filter(company=acme.company).count() == 1
    assert Channel.objects.get(pk=acme.vk.pk).status == "stopped"
    task = Action.objects.get(company=acme.company, decision=decision["id"])
    assert (task.owner, task.kind) == (acme.performance, "stop")
    assert AuditEvent.objects.filter(company=acme.company, verb="sign_decision", by=acme.cmo).count() == 1

    reports = channel_owner.get("weekly-reports/?week=2026-W47")["results"]
    report = next(row for row in reports if row["channel"] == "vk")
    channel_owner.post(f"weekly-reports/{report['id']}/submit-fact/", {}, expect=400)
    filed = channel_owner.post(
        f"weekly-reports/{report['id']}/submit-fact/",
        {"conclusion": {"cause": "execution", "text": "Частота показов выросла вдвое"},
         "actions": [{"text": "Новая аудитория", "owner": acme.performance.pk, "due": "2026-11-27"}]},
    )  # fmt: skip
    assert (filed["state"], filed["timeliness"]) == ("submitted", "on_time")
    spend = next(line for line in filed["fact"]["lines"] if line["kpi"] == "spend")
    assert Decimal(spend["snapshot"]) == 24_000 + 3 * 40_000
    assert spend["off"] is True

    page = owner.get("dashboard/?month=2026-11")
    # gross profit 11 × 105 000; spend VK 8 × 24 000 + 3 × 40 000, blog 11 × 5 000
    assert Decimal(page["earned"]) == 1_155_000 - 367_000
    assert abs(Decimal(page["romi"]) - Decimal(788_000) / 367_000) < Decimal("0.0001")
    states = {row["code"]: row["status"] for row in page["channels"]}
    assert states == {"vk": "stopped", "blog": "active"}
    html = sign_in(acme.owner).get("/c/acme/reports/dashboard/").content.decode().replace("\u00a0", " ")
    assert "В ноябре заработали" in html
    assert "788 000" in html
    assert "787 212 000" not in html  # what the rival earned

    assert DashboardSnapshot.objects.filter(company=acme.company, day=TODAY).count() == 1
