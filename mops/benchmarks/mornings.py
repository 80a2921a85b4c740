"""What `bench rules` measures with writing: one company after a load, the morning of many by one worker and by two, and again."""

import os
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from django.db import connection

from kpis.evaluation import evaluate_company
from kpis.fleet.inputs import read_inputs
from kpis.fleet.replays import replay_fleet
from kpis.models import DailyFact, Evaluation, EvaluationLog, RuleState
from kpis.services.evaluations import RANGE, evaluate_range
from mops.benchmarks import loop
from mops.benchmarks.processor import cpu
from roles.models import Company

TIMES = 25


def after_a_load(company: Company, at: datetime, formulas: dict, scalar) -> dict[str, float]:
    """Milliseconds after a load of a company's last day: of reading and judging alone, of the whole evaluation with
    everything that changed written down (CPU and clock), and of a loop over its rules, which only reads and judges."""
    today = company.local_date(at)
    yesterday = today - timedelta(days=1)
    evaluate_company(company=company, at=at, today=today)
    judged, spent, clock, rows = [], [], [], 0
    for turn in range(TIMES):
        facts = DailyFact.objects.filter(company=company, day=yesterday, source__code="ads")
        facts.update(spend=3000 + 700 * turn)
        before = cpu()
        list(replay_fleet(inputs=read_inputs(companies=[company]), today=today))
        judged.append(cpu() - before)
        before, started = cpu(), time.perf_counter()
        rows = evaluate_company(company=company, at=at, today=today, dirty_from=yesterday).rows
        clock.append(time.perf_counter() - started)
        spent.append(cpu() - before)
    before = cpu()
    for version, formula in formulas.items():
        for scope in loop.scopes_of(version):
            loop.judge(version, formula, scope, today, scalar)
    looped = (cpu() - before) * 1000
    return {
        "judged": median_ms(judged), "cpu": median_ms(spent), "clock": median_ms(clock), "rows": rows, "loop": looped,
    }  # fmt: skip


def median_ms(seconds: Sequence[float]) -> float:
    """The middle one, in milliseconds."""
    return median(seconds) * 1000


def morning(ids: list[int], at: datetime, workers: int) -> tuple[float, float, int]:
    """The daily evaluation of all companies by so many processes: seconds by the clock, CPU seconds, rows written."""
    Evaluation.objects.filter(company__in=ids).update(daily_done_on=None)
    connection.close()
    started = time.perf_counter()
    pipes = [_worker(ids, at, number) for number in range(workers)]
    told = [_heard(pipe) for pipe in pipes]
    return time.perf_counter() - started, sum(spent for spent, _rows in told), sum(int(rows) for _spent, rows in told)


def _worker(ids: list[int], at: datetime, number: int) -> tuple[int, int]:
    """A process of its own that offers itself for every range: leases leave each company to one of them."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    rows = 0
    try:
        before = cpu()
        ranges = [ids[begin : begin + RANGE] for begin in range(0, len(ids), RANGE)]
        for company_ids in ranges if number % 2 == 0 else reversed(ranges):
            rows += sum(outcome.rows for outcome in evaluate_range(company_ids=company_ids, at=at).values())
        os.write(writing, f"{cpu() - before} {rows}".encode())
    finally:
        os._exit(0)


def _heard(worker: tuple[int, int]) -> tuple[float, float]:
    child, reading = worker
    with os.fdopen(reading) as pipe:
        told = pipe.read().split()
    os.waitpid(child, 0)
    assert told, "a worker broke"
    return float(told[0]), float(told[1])


def written(ids: list[int]) -> tuple[int, int]:
    """Rows of states and lines of the log of these companies."""
    return tuple(model.objects.filter(company__in=ids).count() for model in (RuleState, EvaluationLog))
