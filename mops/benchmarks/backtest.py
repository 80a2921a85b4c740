"""`bench backtest`: one stop-rule tried on a year of 40 campaigns and nine lines through the API."""

import json
import time
from statistics import quantiles

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scope
from rest_framework.throttling import SimpleRateThrottle

from kpis.models import DailyFact
from mops.benchmarks.companies import CAMPAIGNS, CHANNELS, SOURCES, build
from mops.settling import settle
from roles import tokens
from roles.models import Company, Membership

HELP = "Measure the back-test of one rule on a year, 40 campaigns and nine lines."
GOAL_MS, GOAL_RATIO = 300, 3
LINE = 2.5
LINES = [2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.2, 3.4, 3.6]
"""Spend per lead is a ratio of two even draws: it is beyond 2.5 on every fifth day."""


def add_arguments(parser) -> None:
    """How long the history is, and how often it is asked."""
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--times", type=int, default=60, help="how often the API and the bare read are asked")


def run(stdout, *, days: int, times: int, **options) -> None:
    """Fill the database, ask the API and read the same rows alone by turns, and print both with their ratio."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.CELERY_TASK_ALWAYS_EAGER = False
    SimpleRateThrottle.THROTTLE_RATES = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES, "100000000/min")
    now = timezone.now()
    rows = days * CHANNELS * CAMPAIGNS * len(SOURCES)
    made = build(count=1, facts=rows, at=now)
    company = Company.objects.get()
    with scope(company=company):
        owner = Membership.objects.filter(company=company).first()
        _token, secret = tokens.create_token(
            company=company, person=owner, by=owner, name="backtest", scopes=["read"], at=now
        )
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(DailyFact._meta.db_table)}")
    body = json.dumps({
        "name": "bench", "kpi": "cpa", "line": str(LINE), "lines": [str(line) for line in LINES],
        "scope": {"per": "campaign"}, "to": str(company.local_date(now)),
    })  # fmt: skip
    address = f"/api/v1/c/{company.slug}/stop-rules/backtest/"
    settle()
    asked, read, size, firings = _measure(Client(), address, secret, body, company, times)
    stdout.write(
        f"{connection.vendor}: {made.facts:,} rows, {days} days, {CHANNELS * CAMPAIGNS} campaigns, {len(LINES)} lines; "
        f"{firings} firings, an answer of {size / 1024:.0f} KiB"
    )
    for label, found in (("API", asked), ("reading the rows alone", read)):
        stdout.write(f"{label:26} p50 {found[0]:7.1f} ms   p95 {found[1]:7.1f} ms")
    stdout.write(f"p95 {asked[1]:.0f} ms, goal {GOAL_MS}: {'ok' if asked[1] <= GOAL_MS else 'ABOVE'}")
    ratio = asked[0] / read[0]
    stdout.write(f"API to reading {ratio:.1f}x, goal {GOAL_RATIO}x: {'ok' if ratio <= GOAL_RATIO else 'ABOVE'}")


def _measure(browser: Client, address: str, secret: str, body: str, company: Company, times: int):
    """((p50, p95) of the API, of the bare read, bytes of an answer, firings), in ms; by turns, so that noise hits both."""
    asked, read = [], []
    for turn in range(times + 3):
        started = time.perf_counter()
        answer = browser.post(
            address, body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
        )
        between = time.perf_counter()
        _read(company)
        if turn >= 3:
            asked.append((between - started) * 1000)
            read.append((time.perf_counter() - between) * 1000)
        assert answer.status_code == 200, f"{answer.status_code} {answer.content[:300]!r}"
    found = answer.json()
    return _cuts(asked), _cuts(read), len(answer.content), len(found["firings"])


def _cuts(times: list[float]) -> tuple[float, float]:
    cuts = quantiles(times, n=20)
    return cuts[9], cuts[18]


def _read(company: Company) -> None:
    """The rows that a back-test needs, as the driver gives them."""
    table = connection.ops.quote_name(DailyFact._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT day, channel_id, campaign_id, source_id, spend, qualified_leads FROM {table} WHERE company_id = %s",
            [company.pk],
        )
        cursor.fetchall()
