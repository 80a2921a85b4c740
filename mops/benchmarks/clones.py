"""Thousands of companies for the benchmarks: one is made by the services, the others are copies of its rows with keys moved on.

PostgreSQL only: copies and figures are made by the database, 10,000 companies with 18 M facts in some minutes.
"""

from datetime import date, datetime, timedelta

from django.db import connection
from django_scopes import scope

from kpis.models import DailyFact, Import, Kpi, KpiVersion, Source, StopRule, StopRuleVersion
from kpis.services import sources
from kpis.services.stop_rules import create_stop_rule
from mops.benchmarks.companies import CAMPAIGNS, CHANNELS, KINDS
from mops.companies import start_company
from roles.models import Appointment, Campaign, Channel, Company, Membership, Role, RoleVersion, User
from roles.services import campaigns, channels

STRIDE = 1_000
"""Copy number n of a row has the key of the original + n · STRIDE."""
COPIED = (
    User, Company, Membership, Role, RoleVersion, Appointment, Channel, Campaign, Source, Kpi, KpiVersion, StopRule,
    StopRuleVersion, Import,
)  # fmt: skip
RULES = (
    {"kpi": "cpa", "line": 2600, "window": "in_a_row", "n": 3, "per": "campaign"},
    {"kpi": "cpa", "line": 2200, "window": "in_a_row", "n": 3, "confirm_pooled_7d": True},
    {"kpi": "cpl", "line": 900, "window": "m_of_n", "n": 5, "m": 3, "per": "campaign"},
    {"kpi": "cpl", "line": 800, "window": "pooled", "n": 7},
    {"kpi": "ctr", "line": "0.012", "window": "pooled", "n": 7, "per": "campaign"},
    {"kpi": "cpa", "line": 2600, "window": "since_conversion", "k": 2, "per": "campaign"},
    {"kpi": "spend", "line": "1.1", "window": "budget", "period": "month"},
    {"kpi": "romi", "line": "-0.6", "window": "in_a_row", "n": 5},
    {"kpi": "lead_rate", "line": "0.008", "window": "in_a_row", "n": 3, "per": "campaign", "no_data": "ok"},
    {"kpi": "unsubscribe_rate", "line": "0.008", "window": "event", "per": "campaign"},
)
"""Ten rules: every window, campaigns and channels."""
EVERY_TENTH = 10
"""Such companies have a second source, of a weaker word, for the same days."""


def build_fleet(*, count: int, days: int, at: datetime) -> list[int]:
    """Companies of 8 channels × 5 campaigns × 12 metrics with so many days and ten rules; their ids, ascending."""
    first = _original(at)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # copies of sound rows: nothing to check
        for model in COPIED:
            cursor.execute(_copy(model), [count - 1])
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("SELECT setseed(0.5)")  # the same figures in every run
        cursor.execute(
            _figures(first), {"count": count, "days": days, "last": first.local_date(at) - timedelta(days=1)}
        )
        for model in (*COPIED, DailyFact):
            cursor.execute(f"ANALYZE {model._meta.db_table}")
    return [first.pk + number * STRIDE for number in range(count)]


def _original(at: datetime) -> Company:
    user = User.objects.create_user("owner@fleet.example", name="Fleet Owner")
    company = start_company(owner=user, at=at, slug="fleet", name="Fleet")
    with scope(company=company):
        owner = Membership.objects.select_related("user", "company").get(company=company, user=user)
        today = company.local_date(at)
        for index in range(CHANNELS):
            _channel(company, owner, index, at, today)
        for number, code in enumerate(("ads", "crm")):
            source = sources.ensure_source(company=company, code=code, name=code, kind=Source.Kind.API)
            Source.objects.filter(pk=source.pk).update(priority=10 + number)
            Import.objects.create(company=company, source=source, state="done", sha256=f"{number:064}", created_at=at)
        for terms in RULES:
            create_stop_rule(company=company, by=owner, at=at, name=terms["kpi"], **terms)
        # Who owns the channels does not put rules on them in force: here nobody else is there to sign.
        StopRuleVersion.objects.filter(company=company).update(approved_by=owner, approved_at=at)
    return company


def _channel(company: Company, owner: Membership, index: int, at: datetime, today: date) -> None:
    channel = channels.create_channel(
        company=company, by=None, at=at, today=today, code=f"ch-{index}", name=f"Channel {index}",
        kind=KINDS[index % len(KINDS)], owner=owner, status="active", monthly_budget=1_500_000,
    )  # fmt: skip
    for number in range(CAMPAIGNS):
        series = f"s{number}" if channel.kind == Channel.Kind.CRM else ""
        campaigns.create_campaign(
            company=company, by=None, at=at, channel=channel, external_id=f"{index}-{number}", name=f"C{number}",
            series=series,
        )  # fmt: skip


def _copy(model) -> str:
    """INSERT … SELECT of every row `count` − 1 times: keys and links moved on, names of people and companies told apart."""
    shown = []
    for field in model._meta.concrete_fields:
        column = f"t.{connection.ops.quote_name(field.column)}"
        target = field.related_model if field.many_to_one or field.one_to_one else model if field.primary_key else None
        if target in COPIED:
            column = f"{column} + copy * {STRIDE}"
        elif (model, field.name) in ((User, "email"), (Company, "slug")):
            column = f"copy || {column}"
        shown.append((connection.ops.quote_name(field.column), column))
    table = connection.ops.quote_name(model._meta.db_table)
    names, values = (", ".join(part) for part in zip(*shown, strict=True))
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} t, generate_series(1, %s) copy"


def _figures(first: Company) -> str:
    """Facts: campaigns differ in size, some have bad weeks, some days are unknown; one query for all companies."""
    channel, campaign, source, load = (
        model._meta.db_table for model in (Channel, Campaign, Source, Import)
    )  # fmt: skip
    metrics = {
        "spend": "floor(base * luck)", "impressions": "floor(base * 9)", "clicks": "floor(base * (0.12 + 0.15 * a))",
        "visits": "floor(base * (0.1 + 0.14 * b))", "leads": "floor(base / 550 * (0.5 + a) / luck)",
        "qualified_leads": "floor(base / 1500 * (0.4 + b) / luck)", "deals": "floor(base / 9000 * (0.4 + a))",
        "new_customers": "floor(base / 12000 * (0.4 + b))", "revenue": "floor(base * (0.5 + 2 * a))",
        "gross_profit": "floor(base * (0.2 + b))", "extra_1": "floor(a * 100)", "extra_2": "floor(b * 100)",
    }  # fmt: skip
    letters = {"sends": "1000 + floor(a * 900)", "delivered": "900 + floor(a * 900)", "unsubscribes": "floor(b * 14)"}
    wide = {name: f"({value})::bigint * 1000000" for name, value in metrics.items()}
    wide["gross_profit"] = f"CASE WHEN c < 0.02 THEN NULL ELSE {wide['gross_profit']} END"
    wide |= {
        name: f"CASE WHEN kind = 'crm' AND d = 30 - campaign_id %% 9 THEN ({value})::bigint * 1000000 END"
        for name, value in letters.items()
    }
    return f"""
INSERT INTO {DailyFact._meta.db_table} (company_id, day, channel_id, campaign_id, source_id, load_id, {", ".join(wide)})
SELECT company_id, day, channel_id, campaign_id, source_id, load_id, {", ".join(wide.values())}
FROM (
  SELECT ch.company_id, ch.kind, d, %(last)s::date - d AS day, ch.id AS channel_id, ca.id AS campaign_id,
    s.id AS source_id, l.id AS load_id, random() AS a, random() AS b, random() AS c,
    3000 + 700 * (ca.id %% 17) AS base, 0.6 + 0.5 * random() + CASE WHEN (ca.id / 7 + d / 9) %% 29 = 0 THEN 1.4 ELSE 0 END AS luck
  FROM generate_series(0, %(count)s - 1) n
  JOIN {channel} ch ON ch.company_id = {first.pk} + n * {STRIDE} JOIN {campaign} ca ON ca.channel_id = ch.id
  JOIN {source} s ON s.company_id = ch.company_id JOIN {load} l ON l.source_id = s.id
  CROSS JOIN generate_series(0, %(days)s - 1) d
  WHERE s.code = 'ads' OR (s.code = 'crm' AND n %% {EVERY_TENTH} = 9)
) rows WHERE c < 0.985 ORDER BY company_id, day
"""
