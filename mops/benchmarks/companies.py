"""Companies for the benchmarks: the shape of a real one (channels, campaigns, sources, a year of days), random figures."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.test import Client
from django.urls import reverse
from django_scopes import scope

from kpis import facts
from kpis.models import Import, Source
from kpis.services import kpis as kpi_services
from kpis.services import sources
from reports.models import WeeklyReport
from reports.services import weekly
from roles import tokens
from roles.models import Channel, Company, Membership, User
from roles.services import campaigns, channels, companies

CHANNELS, CAMPAIGNS = 8, 5
SOURCES = {"ads": ("spend", "impressions", "clicks"), "crm": ("leads", "qualified_leads", "deals", "new_customers", "revenue", "gross_profit")}  # fmt: skip
KINDS = list(Channel.Kind)


@dataclass
class Built:
    """What was made, and what a benchmark asks: (label, address, headers, goal per second)."""

    facts: int
    browser: Client
    addresses: list[tuple[str, str, dict, int]]


def build(*, count: int, facts: int, at: datetime) -> Built:
    """`count` companies that share `facts` rows of facts evenly; the first one is asked."""
    per_company = facts // count
    made = [_company(number, at) for number in range(count)]
    written = sum(_figures(company, owner, per_company, at) for company, owner in made)
    company, owner = made[0]
    with scope(company=company):
        weekly.run_week(company=company, at=at)
        report = WeeklyReport.objects.filter(company=company).order_by("week").first()
        _token, secret = tokens.create_token(
            company=company, person=owner, by=owner, name="bench", scopes=["read"], at=at
        )
    browser = Client()
    browser.force_login(owner.user)
    return Built(written, browser, _addresses(company, report, secret, company.local_date(at)))


def _addresses(company: Company, report: WeeklyReport, secret: str, today: date) -> list[tuple[str, str, dict, int]]:
    key = {"Authorization": f"Bearer {secret}"}
    api = f"/api/v1/c/{company.slug}"
    month = f"from={today - timedelta(days=30)}&to={today - timedelta(days=1)}"
    return [
        ("page: dashboard", reverse("reports:dashboard", args=[company.slug]), {}, 20),
        ("page: weekly form", reverse("reports:weekly-report-detail", args=[company.slug, report.pk]), {}, 20),
        ("page: channel", reverse("reports:channel-detail", args=[company.slug, "ch-0"]), {}, 20),
        ("page: today", reverse("reports:today", args=[company.slug]), {}, 20),
        ("API: me", "/api/v1/me/", key, 100),
        ("API: channels", f"{api}/channels/", key, 100),
        ("API: KPI by week", f"{api}/kpis/cpa/values/?{month}&grain=week", key, 100),
        ("API: facts by channel", f"{api}/facts/?{month}&group_by=channel", key, 100),
        ("API: decisions", f"{api}/decisions/", key, 100),
    ]


def _company(number: int, at: datetime) -> tuple[Company, Membership]:
    user = User.objects.create_user(f"owner@bench-{number}.example", name="Bench Owner")
    company = companies.create_company(slug=f"bench-{number}", name=f"Bench {number}", owner=user, at=at)
    with scope(company=company):
        kpi_services.install_builtin_kpis(company=company, at=at)
        owner = Membership.objects.select_related("user", "company").get(company=company, user=user)
        for index in range(CHANNELS):
            channel = channels.create_channel(
                company=company, by=None, at=at, today=company.local_date(at), code=f"ch-{index}", name=f"Channel {index}",
                kind=KINDS[index % len(KINDS)], owner=owner, status="active", monthly_budget=1_000_000,
            )  # fmt: skip
            for campaign in range(CAMPAIGNS):
                campaigns.create_campaign(
                    company=company,
                    by=None,
                    at=at,
                    channel=channel,
                    external_id=f"{index}-{campaign}",
                    name=f"C{campaign}",
                )
    return company, owner


def _figures(company: Company, owner: Membership, rows: int, at: datetime) -> int:
    days = max(1, rows // (CHANNELS * CAMPAIGNS * len(SOURCES)))
    last = company.local_date(at) - timedelta(days=1)
    written = 0
    with scope(company=company):
        for code, metrics in SOURCES.items():
            source = sources.ensure_source(company=company, code=code, name=code, kind=Source.Kind.API)
            load = Import.objects.create(company=company, source=source, state="done", sha256="0" * 64, created_at=at)
            counts = facts.record(company=company, load=load, rows=_rows(company, metrics, last, days), metrics=metrics)
            written += counts.created
    return written


def _rows(company: Company, metrics: tuple[str, ...], last: date, days: int) -> Iterator[facts.FactRow]:
    shake = random.Random(company.pk)
    scopes = [
        (channel.pk, campaign.pk)
        for channel in Channel.objects.filter(company=company).prefetch_related("campaigns")
        for campaign in channel.campaigns.all()
    ]
    for back in range(days):
        day = last - timedelta(days=back)
        for channel_id, campaign_id in scopes:
            yield facts.FactRow(channel_id, campaign_id, day, {code: shake.randint(1, 5000) for code in metrics})
