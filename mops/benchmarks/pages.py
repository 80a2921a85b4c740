"""`bench pages`: how many pages and API reads one core serves, with companies of a year of figures."""

import resource
import time
from dataclasses import dataclass
from statistics import quantiles

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.throttling import SimpleRateThrottle

from mops.benchmarks.companies import Built, build
from mops.starting import collect_static

HELP = "Measure pages and API reads per second of one core."


def add_arguments(parser) -> None:
    """How much there is in the database, and how long each address is asked."""
    parser.add_argument("--companies", type=int, default=20)
    parser.add_argument("--facts", type=int, default=1_000_000, help="rows of facts of all companies together")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each address is asked")


def run(stdout, *, companies: int, facts: int, seconds: float, **options) -> None:
    """Fill the database and ask every address; a line each, with the goal of the issue beside it."""
    settings.ALLOWED_HOSTS = ["*"]
    SimpleRateThrottle.THROTTLE_RATES = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES, "100000000/min")
    settings.CELERY_TASK_ALWAYS_EAGER = False
    collect_static()  # pages name their files by the manifest
    made = _build(stdout, companies, facts)
    stdout.write(
        "per s: by the clock, the database's work included; per CPU s: of a core that serves, which is what the goal is of"
    )
    stdout.write(f"{'':22}{'per s':>8}{'per CPU s':>11}{'p50 ms':>9}{'p95 ms':>9}{'queries':>9}{'goal':>7}")
    for label, address, headers, goal in made.addresses:
        # Integrations carry a token and no session.
        asked = _ask(Client() if headers else made.browser, address, headers, seconds)
        stdout.write(
            f"{label:22}{asked.rate:8.1f}{asked.cpu_rate:11.1f}{asked.p50:9.1f}{asked.p95:9.1f}{asked.queries:9}{goal:>7} "
            f"{'ok' if asked.cpu_rate >= goal else 'BELOW'}"
        )


def _build(stdout, count: int, facts: int) -> Built:
    started = time.perf_counter()
    made = build(count=count, facts=facts, at=timezone.now())
    load = time.perf_counter() - started
    rate = made.facts / load
    stdout.write(f"{connection.vendor}: {count} companies, {made.facts:,} facts in {load:.0f} s ({rate:,.0f} rows/s)")
    return made


@dataclass(frozen=True)
class Asked:
    """One address: requests per second by the clock and per second of this process's CPU; times in ms."""

    rate: float
    cpu_rate: float
    p50: float
    p95: float
    queries: int


def _ask(browser: Client, address: str, headers: dict, seconds: float) -> Asked:
    """Ask one address for so long, after a warm-up."""
    for _warm in range(3):
        with CaptureQueriesContext(connection) as seen:
            response = browser.get(address, headers=headers)
            queries = len(seen)
        assert response.status_code == 200, f"{address}: {response.status_code} {response.content[:300]!r}"
    times = []
    cpu = _cpu()
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        before = time.perf_counter()
        browser.get(address, headers=headers)
        times.append((time.perf_counter() - before) * 1000)
    wall, cpu = time.perf_counter() - started, _cpu() - cpu
    cuts = quantiles(times, n=20)
    return Asked(len(times) / wall, len(times) / cpu, cuts[9], cuts[18], queries)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
