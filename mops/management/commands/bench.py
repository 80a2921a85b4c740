"""`manage.py bench pages`: how many pages and API reads one core serves. Prints ratios of one run; never a timed test.

It works in a test database of its own, beside the configured one, and removes it afterwards.
"""

import resource
import time
from statistics import quantiles

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled
from rest_framework.throttling import SimpleRateThrottle

from mops.benchmarks import companies
from mops.starting import collect_static


class Command(BaseCommand):
    help = "Measure pages and API reads per second of one core: bench pages [--companies 20] [--facts 1000000]"

    def add_arguments(self, parser):
        parser.add_argument("what", choices=["pages"])
        parser.add_argument("--companies", type=int, default=20)
        parser.add_argument("--facts", type=int, default=1_000_000)
        parser.add_argument("--seconds", type=float, default=4.0, help="how long each address is asked")

    def handle(self, what, companies: int, facts: int, seconds: float, **options):
        settings.ALLOWED_HOSTS = ["*"]
        SimpleRateThrottle.THROTTLE_RATES = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES, "100000000/min")
        settings.CELERY_TASK_ALWAYS_EAGER = False
        collect_static()  # pages name their files by the manifest
        name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            with scopes_disabled():
                self._pages(companies, facts, seconds)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)

    def _pages(self, count: int, facts: int, seconds: float) -> None:
        started = time.perf_counter()
        made = companies.build(count=count, facts=facts, at=timezone.now())
        load = time.perf_counter() - started
        self.stdout.write(
            f"{connection.vendor}: {count} companies, {made.facts:,} facts in {load:.0f} s ({made.facts / load:,.0f} rows/s)"
        )
        self.stdout.write(f"{'':34}{'per s':>8}{'p50 ms':>9}{'p95 ms':>9}{'goal':>7}")
        for label, address, headers, goal in made.addresses:
            # Integrations carry a token and no session.
            rate, p50, p95 = self._ask(Client() if headers else made.browser, address, headers, seconds)
            self.stdout.write(f"{label:34}{rate:8.1f}{p50:9.1f}{p95:9.1f}{goal:>7} {'ok' if rate >= goal else 'BELOW'}")

    def _ask(self, browser: Client, address: str, headers: dict, seconds: float) -> tuple[float, float, float]:
        """(requests per second of CPU time of this process and of wall time, whichever is lower; p50; p95 in ms)."""
        for _warm in range(3):
            response = browser.get(address, headers=headers)
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
        return len(times) / max(wall, cpu), cuts[9], cuts[18]


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
