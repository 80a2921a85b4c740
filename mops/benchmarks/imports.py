"""`bench import`: a million rows of CSV through the loader, and the dashboard of another company meanwhile."""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import quantiles

from django.conf import settings
from django.core.files.base import File
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scope

from kpis.models import Import, Source
from kpis.services import imports, sources
from mops.benchmarks.companies import CHANNELS, build
from mops.starting import collect_static
from roles.models import Company, Membership

HELP = "Measure a load of CSV rows, its memory, and what other companies feel of it."
DAYS = 365
SECONDS, MEGABYTES, RATIO = 120, 200, 2.0
"""The goals of the issue: for a million rows, for the loading process, for another company's dashboard."""

WORKER = """
import json, sys, time
from datetime import datetime
import django
django.setup()
from kpis.models import Import
from kpis.services import import_runs
from mops.benchmarks.processor import cpu
from roles.tenancy import company_scope

company_id, moment = int(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
with company_scope(company_id) as company:
    began, own, both = time.perf_counter(), time.process_time(), cpu()
    import_runs.run_due_imports(company=company, at=moment)
    took, own, both = time.perf_counter() - began, time.process_time() - own, cpu() - both
    load = Import.objects.filter(company=company).order_by("-pk").first()
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(json.dumps({"seconds": took, "cpu": own, "both": both, "peak_mb": peak / 1024, "state": load.state,
                  "created": load.created, "errors": load.errors[:3]}))
"""


def add_arguments(parser) -> None:
    """How large the file is, and how many facts the other companies have."""
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--facts", type=int, default=60_000, help="rows of facts of the two companies together")


def run(stdout, *, rows: int, facts: int, **options) -> None:
    """Load a generated file in a process of its own, and ask the other company's dashboard before, meanwhile and after."""
    if connection.vendor != "postgresql":
        stdout.write("The goal is set for PostgreSQL: give DATABASE_URL.")
        return
    settings.ALLOWED_HOSTS = ["*"]
    collect_static()
    at = timezone.now()
    made = build(count=2, facts=facts, at=at)
    address = next(address for label, address, _headers, _goal in made.addresses if label == "page: dashboard")
    company = Company.objects.get(slug="bench-1")
    queued, size = _receive(company, rows, at)
    stdout.write(f"received and recognised {rows:,} rows, {size / 1024**2:.0f} MB, in {queued:.1f} s")
    alone = _ask(made.browser, address, lambda asked: asked >= 40)
    worker = _worker(company, at)
    beside = _ask(made.browser, address, lambda _asked: worker.poll() is not None)
    told, complaint = worker.communicate()
    assert worker.returncode == 0, complaint
    done = json.loads(told)
    after = _ask(made.browser, address, lambda asked: asked >= 40)
    assert (done["state"], done["created"]) == ("done", rows), done
    _tell(stdout, rows, done, alone, beside, after)


def _receive(company: Company, rows: int, at) -> tuple[float, int]:
    """A generated file, received and confirmed; the seconds that took and its size."""
    with scope(company=company), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        _write(path, rows, company.local_date(at) - timedelta(days=1))
        by = Membership.objects.get(company=company, user__email="owner@bench-1.example")
        source = sources.ensure_source(company=company, code="files", name="files", kind=Source.Kind.FILE)
        began = time.perf_counter()
        with path.open("rb") as stream:
            load = imports.receive_file(
                company=company, by=by, at=at, source=source, upload=File(stream, name=path.name)
            )  # fmt: skip
        imports.confirm_import(company=company, by=by, at=at, load=load, mapping=load.mapping)
        Import.objects.filter(pk=load.pk).update(lease_until=None)
        return time.perf_counter() - began, path.stat().st_size


def _write(path: Path, rows: int, last: date) -> None:
    """Days × channels × campaigns, as many as needed; every figure differs, money with kopecks and a comma."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        write = csv.writer(stream, delimiter=";").writerow
        write(["дата", "канал", "кампания", "расход", "показы", "клики", "лиды"])
        for number in range(rows):
            day = last - timedelta(days=number % DAYS)
            channel, campaign = number // DAYS % CHANNELS, number // DAYS // CHANNELS
            write(
                [
                    f"{day:%d.%m.%Y}",
                    f"ch-{channel}",
                    f"c-{campaign}",
                    f"{number % 9973},{number % 90 + 10}",
                    number,
                    number % 997,
                    number % 13,
                ]
            )


def _worker(company: Company, at) -> subprocess.Popen:
    given = connection.settings_dict
    password = f":{given['PASSWORD']}" if given["PASSWORD"] else ""
    url = f"postgres://{given['USER']}{password}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
    env = {**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    env.setdefault("DJANGO_SETTINGS_MODULE", "mops.settings")
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(company.pk), at.isoformat()], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=settings.BASE_DIR, env=env,
    )  # fmt: skip


def _ask(browser: Client, address: str, is_enough) -> list[float]:
    """Milliseconds of each request, as often as needed."""
    browser.get(address)
    times: list[float] = []
    while not is_enough(len(times)):
        began = time.perf_counter()
        assert browser.get(address).status_code == 200
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(0.02)  # a company's people, not a hammer
    return times


def _tell(stdout, rows: int, done: dict, alone: list[float], beside: list[float], after: list[float]) -> None:
    speed, goal = rows / done["seconds"], SECONDS * rows / 1_000_000
    verdict = "ok" if done["seconds"] <= goal else "ABOVE"
    stdout.write(
        f"loaded {rows:,} rows in {done['seconds']:.1f} s ({speed:,.0f} rows/s, CPU of the loader {done['cpu']:.1f} s, with its database process {done['both']:.1f} s); "
        f"goal {goal:.0f} s {verdict}"
    )
    verdict = "ok" if done["peak_mb"] <= MEGABYTES else "ABOVE"
    stdout.write(f"peak of the loading process {done['peak_mb']:.0f} MB; goal {MEGABYTES} MB {verdict}")
    stdout.write(f"{'dashboard of another company':30}{'asked':>7}{'p50 ms':>9}{'p95 ms':>9}")
    for label, times in (("alone", alone), ("while the load ran", beside), ("after it", after)):
        cuts = quantiles(times, n=20)
        stdout.write(f"{label:30}{len(times):7}{cuts[9]:9.1f}{cuts[18]:9.1f}")
    before, during = quantiles(alone, n=20), quantiles(beside, n=20)
    ratio = during[9] / before[9]
    stdout.write(
        f"ratio p50 {ratio:.2f}, p95 {during[18] / before[18]:.2f}; goal {RATIO:.0f}× {'ok' if ratio <= RATIO else 'ABOVE'}"
    )
