"""`bench rules`: the stop-rules of many companies in one run, beside the bare reading of the same rows and beside a loop.

PostgreSQL only. CPU is that of this process and of its database backend together: other work on the machine lengthens
the clock, hardly the CPU.
"""

import importlib.util
import random
import resource
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from kpis.fact_columns import Span, read_rows
from kpis.fleet.inputs import read_inputs
from kpis.fleet.replays import replay_fleet
from kpis.models import DailyFact
from kpis.outcomes import State
from kpis.services.evaluations import RANGE
from mops.benchmarks import clones, loop, mornings
from mops.benchmarks.processor import cpu
from mops.settling import settle
from roles.models import Company

HELP = "Measure the evaluation of the stop-rules of many companies (PostgreSQL)."
DAYS = 45
FLOOR_GOAL, LOOP_GOAL, MEMORY_GOAL = 12, 20, 700
ONE_GOAL_MS, ONE_LOOP_GOAL = 25, 5
COLUMNS = [
    "spend", "impressions", "clicks", "visits", "leads", "qualified_leads", "gross_profit", "sends", "delivered", "unsubscribes",
]  # fmt: skip
"""What the ten rules look at."""


def add_arguments(parser) -> None:
    """How many companies there are, and how many of them the loop goes over."""
    parser.add_argument("--companies", type=int, default=1000)
    parser.add_argument("--written", type=int, default=200, help="companies whose states and log are written too")
    parser.add_argument(
        "--sample", type=int, default=6, help="companies that the loop goes over and the results are compared on"
    )


def run(stdout, *, companies: int, sample: int, written: int, **options) -> None:
    """Make the companies and print everything from one run."""
    if connection.vendor != "postgresql":
        stdout.write("bench rules needs PostgreSQL: the rows of the floor and of the evaluation are its own.")
        return
    at = timezone.now().replace(hour=9)  # noon in Moscow: the hour of the daily evaluation has come
    started = time.perf_counter()
    ids = clones.build_fleet(count=companies, days=DAYS, at=at)
    stdout.write(f"{companies:,} companies made in {time.perf_counter() - started:.0f} s")
    today = Company.objects.get(pk=ids[0]).local_date(at)
    _evaluate(ids[:RANGE], today)  # what a process does once
    settle()  # as a worker does once it is loaded
    floor = reading = evaluating = facts = rules = series = fired = 0
    for chunk in _chunks(ids):  # by turns, so that other work on the machine hits all alike
        _scan(chunk)  # the first touch of fresh pages is dearer
        spent, rows = _cost(lambda chunk=chunk: _scan(chunk))
        floor, facts = floor + spent, facts + rows
        reading += _cost(lambda chunk=chunk: _read(chunk, today))[0]
        spent, counts = _cost(lambda chunk=chunk: _evaluate(chunk, today))
        evaluating += spent
        rules, series, fired = (sum(pair) for pair in zip((rules, series, fired), counts, strict=True))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    stdout.write(
        f"{rules:,} rules, {series:,} series, {facts:,} rows of facts, {fired:,} firings\n"
        f"floor, SELECT sum(…): {floor:7.1f} CPU s\nreading alone:        {reading:7.1f} CPU s, {reading / floor:.1f}x the floor\n"
        f"evaluation:           {evaluating:7.1f} CPU s, {rules / evaluating:,.0f} rules/s, {facts / evaluating:,.0f} facts/s"
    )
    looped, told = _loop(ids, sample, today)
    looped *= companies / sample
    stdout.write(f"loop (scaled):        {looped:7.1f} CPU s")
    _goal(stdout, "to the floor", evaluating / floor, FLOOR_GOAL, "x", above=False)
    _goal(stdout, "faster than the loop", looped / evaluating, LOOP_GOAL, "x", above=True)
    _goal(stdout, "peak memory", memory, MEMORY_GOAL, " MB", above=False)
    stdout.write(_compared(told, today))
    _one(stdout, ids[1 % companies], at)
    _mornings(stdout, ids[:written], at)


def _one(stdout, company_id: int, at: datetime) -> None:
    company = Company.objects.get(pk=company_id)
    versions = read_inputs(companies=[company]).versions[company_id]
    formulas = {version: loop.formula_of(version) for version in versions}
    found = mornings.after_a_load(company, at, formulas, _scalar())
    stdout.write(
        f"one company after a load: {found['judged']:.1f} ms of CPU to read and judge, {found['cpu']:.1f} ms with "
        f"{found['rows']} rows of states, log and breaches written ({found['clock']:.1f} ms by the clock); a loop that reads "
        f"and judges {found['loop']:.0f} ms"
    )
    _goal(stdout, "read and judged", found["judged"], ONE_GOAL_MS, " ms", above=False)
    _goal(stdout, "faster than its loop", found["loop"] / found["cpu"], ONE_LOOP_GOAL, "x", above=True)


def _mornings(stdout, ids: list[int], at: datetime) -> None:
    """The first morning fills the log of all days; then one by one worker, one by two, and the same again."""
    for label, back, workers in (
        ("first, all days", 2, 2), ("next, 1 worker", 1, 1), ("next, 2 workers", 0, 2), ("again, 1 worker", 0, 1),
    ):  # fmt: skip
        clock, spent, rows = mornings.morning(ids, at - timedelta(days=back), workers)
        stdout.write(
            f"morning of {len(ids):,} companies, {label:16} {clock:7.1f} s by the clock, {spent:7.1f} CPU s, {rows:,} rows written"
        )
    states, lines = mornings.written(ids)
    stdout.write(f"rows written the second time: {rows} (states {states:,}, lines of the log {lines:,})")


def _goal(stdout, label: str, value: float, goal: float, unit: str, *, above: bool) -> None:
    reached = value >= goal if above else value <= goal
    stdout.write(f"{label:22}{value:7.1f}{unit}, goal {goal}{unit}: {'ok' if reached else 'NOT REACHED'}")


# ---------------------------------------------------------------- what is measured
def _cost(act: Callable) -> tuple[float, object]:
    """CPU seconds of this process and of its backend, and what the act gave."""
    before = cpu()
    given = act()
    return cpu() - before, given


def _chunks(ids: list[int]) -> list[list[int]]:
    return [ids[begin : begin + RANGE] for begin in range(0, len(ids), RANGE)]


def _scan(ids: list[int]) -> int:
    """The floor: the same rows summed by the database alone, in one process. How many they are."""
    sums = ", ".join(f"sum({column})" for column in COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute(f"SELECT count(*), {sums} FROM {DailyFact._meta.db_table} WHERE company_id = ANY(%s)", [ids])
        return cursor.fetchone()[0]


def _read(ids: list[int], today: date) -> None:
    read_rows(spans=[Span(pk, date.min, today) for pk in ids], columns=COLUMNS)


def _evaluate(ids: list[int], today: date) -> tuple[int, int, int]:
    """Rules, series and firings of these companies."""
    inputs = read_inputs(companies=list(Company.objects.filter(pk__in=ids).order_by("pk")))
    found = list(replay_fleet(inputs=inputs, today=today))
    return (
        sum(map(len, inputs.versions.values())), sum(len(one.replay.series) for one in found),
        sum(len(one.replay.outcome.episodes) for one in found),
    )  # fmt: skip


# ---------------------------------------------------------------- the loop
def _loop(ids: list[int], sample: int, today: date) -> tuple[float, dict]:
    """CPU seconds of the loop over some companies, and what it says by series. Those with two sources are left out."""
    plain = [pk for number, pk in enumerate(ids) if number % clones.EVERY_TENTH != clones.EVERY_TENTH - 1]
    chosen = random.Random(7).sample(plain, min(sample, len(plain)))
    scalar = _scalar()
    versions = [
        version
        for found in read_inputs(companies=list(Company.objects.filter(pk__in=chosen))).versions.values()
        for version in found
    ]

    def over_all():
        found = {}
        for version in versions:
            formula = loop.formula_of(version)
            for channel, campaign in loop.scopes_of(version):
                key = version.pk, channel.pk, campaign.pk if campaign else 0
                found[key] = loop.judge(version, formula, (channel, campaign), today, scalar)
        return found

    return _cost(over_all)


def _scalar():
    """The scalar model of the tests: the bench is run from the project."""
    path = Path(settings.BASE_DIR) / "tests" / "kpis" / "scalar_model.py"
    spec = importlib.util.spec_from_file_location("scalar_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Scalar


def _compared(told: dict, today: date) -> str:
    """Is every state, streak and event of the engine what the scalar model says?"""
    companies = {version_id: None for version_id, *_scope in told}
    owners = list(Company.objects.filter(pk__in={pk // clones.STRIDE * clones.STRIDE + 1 for pk in companies}))
    found, differ = {}, 0
    for together in replay_fleet(inputs=read_inputs(companies=owners), today=today):
        for company in owners:
            alone = together.alone(company.pk)
            found |= {(one.version.pk, *one.scope): (alone, number) for number, one in enumerate(alone.series)}
    for key, model in told.items():
        differ += (
            _said(*found[key], len(model.states)) != (model.states, model.streaks, model.events)
            if model
            else key in found
        )
    return f"equal to the scalar model on {len(told):,} series: {'yes' if not differ else f'NO, {differ} differ'}"


def _said(alone, number: int, days: int) -> tuple:
    """States, streaks and events of a series in its last `days`: the model knows no day before the scope's first row."""
    outcome = alone.outcome
    first = outcome.states.shape[1] - days
    states = [State(code).code for code in outcome.states[number][first:].tolist()]
    events = [(event.day - first, event.kind) for event in outcome.events if event.series == number]
    return states, outcome.streaks[number][first:].tolist(), events
