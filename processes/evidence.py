"""The evidence of a decision: what the rule saw, day by day, and what waiting costs. Gathered set-based, kept as JSON.

Decimals are strings, days are ISO, unknown is null. A decision keeps what it saw when it opened and when it was signed
(`at_signature`) or withdrawn (`at_withdrawal`); while it is open the page and the API gather the same afresh.

{"rule": {"id", "number", "version", "name", "sentence": {"ru", "en"}, "plain": the same without the line, "comparison", "window", "n", "action"},
 "kpi": {"code", "name": {"ru", "en"}, "unit", "formula"}, "line", "goal", "is_money", "is_cost", "reveals_money",
 "numerator": {"code", "name", "unit"}, "denominator": …, "days": [{"date", "numerator", "denominator", "value", "over",
 "cumulated", "breaching"}], "series": [{"date", "value"}], "first_day", "last_day", "breaching_days", "found_late",
 "rests_from": the first day that the firing rests on, "firing": did it fire at that moment, "bounds": {"budget",
 "tolerance", "stop_loss"} of a budget rule, "burned", "per_day", "sums": {"numerator", "denominator", "days"}, "owner": {"id",
 "name"}, "sources": [{"name", "last_day", "state"}]}
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import translation
from django.utils.translation import gettext as _

from kpis import formulas
from kpis.day_classes import CONFIRM_DAYS, Window
from kpis.models import Breach, KpiVersion
from kpis.selectors import sources, stop_rules
from kpis.selectors.cube import Cube, load_cube
from kpis.selectors.measures import metrics_of
from kpis.selectors.over_line import OverLine, over_line
from kpis.selectors.targets import TargetBook, load_targets
from kpis.sentences import measured
from kpis.windows import Series, budget_of
from processes.models import Choice
from roles.models import Company, in_language

SERIES_DAYS = 21
DAYS_BEFORE = 3
EACH_DAY_BEYOND = frozenset({Window.IN_A_ROW, Window.M_OF_N, Window.EVENT})
"""Windows whose every breaching day is beyond the line by itself."""
LONGEST_SILENCE = 30
"""Days without a conversion that are kept with the evidence at most: older ones are not compared with late data."""


@dataclass(frozen=True)
class Surroundings:
    """What the evidence of several breaches shares: read once."""

    kpis: dict[int, KpiVersion]
    formulas: dict[int, formulas.Formula]
    metrics: dict
    cube: Cube | None
    targets: TargetBook | None
    lines: dict
    sources: list[dict]
    today: date


def gather(*, company: Company, breaches: Iterable[Breach], at: datetime, brief: bool = False) -> dict[int, dict]:
    """Breach id → its evidence as of now; the number of queries does not grow with the breaches.

    `brief`: what a list shows, without series, goal, days before the breach and sources, at half the queries. The
    breaches come with version, rule, channel (owner, user) and campaign loaded.
    """
    breaches = list(breaches)
    if not breaches:
        return {}
    around = _surroundings(company, breaches, at, brief)
    return {breach.pk: _evidence(breach, around) for breach in breaches}


def kept_with_now(decision, name: str, at: datetime) -> dict:
    """The evidence of a decision with what its breach looks like at a moment, under a name."""
    if decision.breach is None:
        return decision.evidence
    now = gather(company=decision.company, breaches=[decision.breach], at=at)[decision.breach_id]
    return {**decision.evidence, name: now}


def _surroundings(company: Company, breaches: list[Breach], at: datetime, brief: bool) -> Surroundings:
    today = company.local_date(at)
    first = min(min(breach.first_day for breach in breaches), today)
    first -= timedelta(days=max(SERIES_DAYS, *(_reach(breach) for breach in breaches)))
    versions = KpiVersion.objects.filter(
        company=company, kpi_id__in={breach.version.kpi_id for breach in breaches}, superseded_at=None
    ).select_related("kpi")
    kpis = {version.kpi_id: version for version in versions}
    parsed = {kpi_id: formulas.parse(version.formula) for kpi_id, version in kpis.items()}
    return Surroundings(
        kpis=kpis,
        formulas=parsed,
        metrics=metrics_of(company=company),
        cube=None if brief else load_cube(
            company=company, start=first, end=today, channel_ids={breach.channel_id for breach in breaches},
            metrics=frozenset().union(*(formula.metrics for formula in parsed.values())),
            campaigns=any(breach.campaign_id for breach in breaches),
        ),
        targets=None if brief else load_targets(company=company, start=first, end=today),
        lines=over_line(company=company, breaches=breaches),
        sources=[] if brief else [
            {"name": str(fresh.source), "last_day": _iso(fresh.last_day), "state": fresh.state}
            for fresh in sources.freshness(company=company, at=at)
        ],
        today=today,
    )  # fmt: skip


def _evidence(breach: Breach, around: Surroundings) -> dict:
    version, kpi = breach.version, around.kpis[breach.version.kpi_id]
    formula = around.formulas[kpi.kpi_id]
    rows = [row for row in around.lines[breach.pk].days if row.day <= around.today]
    refined = _refined_away(breach, rows)
    top, bottom = _sides(version, formula, around.metrics)
    last_day = rows[-1].day if rows else breach.opened_on
    daily = _daily(breach, formula, around) if around.cube else {}
    rests_from = _rests_from(breach, daily)
    owner = breach.channel.owner
    return {
        "rule": _rule(breach),
        "kpi": {
            "code": kpi.kpi.code, "name": _measured(version, kpi), "unit": measured(version, kpi)[0], "formula": kpi.formula,
        },
        "line": _text(Series(version, breach.channel, breach.campaign).line),
        "goal": around.targets and _text(
            around.targets.value(kpi.kpi.code, channel_id=breach.channel_id, start=last_day, end=last_day)
        ),
        "is_money": top["unit"] == "money",
        "is_cost": top["unit"] == "money" and bottom["unit"] == "count",
        "reveals_money": "money" in {top["unit"], bottom["unit"]},
        "numerator": top,
        "denominator": bottom,
        "days": _before(breach, daily, rests_from) + [_day(row, refined) for row in rows],
        "rests_from": _iso(rests_from),
        "firing": breach.closed_on is None,
        "bounds": _bounds(breach),
        "series": _series(daily, last_day, version) if around.cube else [],
        "first_day": _iso(breach.first_day),
        "last_day": _iso(last_day),
        "breaching_days": [day for day in breach.days if day <= around.today.isoformat() and day not in refined],
        "found_late": breach.found_late,
        **_sums(rows, around.lines[breach.pk]),
        "owner": {"id": owner.pk, "name": str(owner)} if owner else None,
        "sources": around.sources,
    }  # fmt: skip


def _sums(rows: list, line: OverLine) -> dict:
    """What is over the line on the known days, and per known day; null where no day is known or it is not money."""
    known = [row for row in rows if row.numerator is not None and row.denominator is not None]
    counted = known and all(row.over is not None for row in known)
    total = sum(row.over for row in known) if counted else None
    return {
        "burned": _text(total),
        "per_day": None if total is None else _text((total / len(known)).quantize(Decimal("0.01"))),
        "sums": {
            "numerator": _text(line.numerator) if known else None,
            "denominator": _text(line.denominator) if known else None,
            "days": len(known),
        },
    }


def _rule(breach: Breach) -> dict:
    version = breach.version
    return {
        "id": version.rule_id, "number": version.rule.number, "version": version.number, "name": version.name,
        "sentence": in_both(lambda: stop_rules.rule_sentence(version)),
        "plain": in_both(lambda: stop_rules.rule_sentence(version, money=False)), "comparison": version.comparison,
        "window": version.window, "n": version.n, "action": version.action,
    }  # fmt: skip


def _part(form: tuple, metrics: dict) -> dict:
    """How one side of the formula is called and counted: a single metric by its name, a sum by its codes."""
    units = {metrics[code].unit for code, _factor in form}
    single = form[0][0] if len(form) == 1 and form[0][1] == 1 else ""
    name = str(metrics[single].name) if single else ", ".join(str(metrics[code].name) for code, _factor in form)
    return {"code": single, "name": name, "unit": "money" if "money" in units else "count"}


def _sides(version, formula: formulas.Formula, metrics: dict) -> list[dict]:
    found = [_part(form, metrics) for form in (formula.numerator, formula.denominator)]
    if version.window == Window.BUDGET:
        found[1] = {"code": "", "name": _("Budget"), "unit": "money"}
    return found


def _measured(version, kpi: KpiVersion) -> dict[str, str]:
    if version.window == Window.BUDGET:
        return in_both(lambda: measured(version, kpi)[1])
    return {"ru": kpi.name_ru, "en": kpi.name_en}


def _daily(breach: Breach, formula: formulas.Formula, around: Surroundings) -> dict[date, object]:
    """Day → its figures: the KPI day by day; earlier mailings; the budget's days so far."""
    line = around.lines[breach.pk]
    if line.around is not None:
        return {row.day: row for row in (*line.around, *line.days)}
    if breach.campaign_id:
        return around.cube.campaign_daily(formula, breach.campaign_id)
    return around.cube.daily(formula, breach.channel_id)


def _reach(breach: Breach) -> int:
    """How many days before the first breaching one the rule may have looked at."""
    version = breach.version
    if version.window == Window.SINCE_CONVERSION:
        return LONGEST_SILENCE
    if version.window == Window.POOLED:
        return version.n
    return CONFIRM_DAYS if version.confirm_pooled_7d else 0


def _rests_from(breach: Breach, daily: dict) -> date:
    """The first day that the firing rests on: of a pooled window its first, of the time since a conversion the day after it."""
    version, first = breach.version, breach.first_day
    if version.window == Window.SINCE_CONVERSION:
        for _back in range(LONGEST_SILENCE):
            row = daily.get(first - timedelta(days=1))
            if row is None or row.denominator:
                break
            first -= timedelta(days=1)
        return first
    pooled = version.n if version.window == Window.POOLED else CONFIRM_DAYS if version.confirm_pooled_7d else 1
    return min(first, breach.opened_on - timedelta(days=pooled - 1))


def _bounds(breach: Breach) -> dict | None:
    """Budget, tolerance and stop-loss of the scope, as a budget rule was held against them; None for other rules."""
    if breach.version.window != Window.BUDGET:
        return None
    scope = breach.campaign or breach.channel
    budget = budget_of(breach.version, breach.channel, breach.campaign)
    found = {"budget": budget, "tolerance": scope.tolerance, "stop_loss": scope.stop_loss}
    return {name: _text(value) for name, value in found.items()}


def _before(breach: Breach, daily: dict, rests_from: date) -> list[dict]:
    """What came before the first breaching day: three days for comparison, or as many as the rule looked at. Nothing is
    counted over the line there."""
    if breach.version.window == Window.EVENT:
        days = sorted(day for day in daily if day < breach.first_day)[-DAYS_BEFORE:]
    else:
        longest = max(DAYS_BEFORE, (breach.first_day - rests_from).days)
        days = [breach.first_day - timedelta(days=back) for back in range(longest, 0, -1)]
    return [
        {
            "date": _iso(day), "numerator": _text(daily[day].numerator), "denominator": _text(daily[day].denominator),
            "value": _text(daily[day].value), "over": None, "cumulated": None, "breaching": False,
        }
        for day in days if day in daily
    ]  # fmt: skip


def _refined_away(breach: Breach, rows: list) -> set[str]:
    """The days of a breach that late data ended which are not beyond the line any more: the row keeps its days as they fired."""
    version = breach.version
    if breach.closed_as != "gone" or version.window not in EACH_DAY_BEYOND:
        return set()
    above = version.comparison == version.Comparison.ABOVE
    return {
        row.day.isoformat() for row in rows
        if row.breaching and not is_beyond(row, version.line, above)
    }  # fmt: skip


def is_beyond(row, line: Decimal, above: bool) -> bool:
    """Is a day, whose numerator and denominator are known, on the wrong side of the line?"""
    over = row.numerator - line * row.denominator
    return over > 0 if above else over < 0


def _day(row, refined: set[str]) -> dict:
    return {
        "date": _iso(row.day), "numerator": _text(row.numerator), "denominator": _text(row.denominator),
        "value": _text(row.value), "over": _text(row.over), "cumulated": _text(row.cumulated),
        "breaching": bool(row.breaching) and row.day.isoformat() not in refined,
    }  # fmt: skip


def _series(daily: dict, last_day: date, version) -> list[dict]:
    if version.window == Window.EVENT:
        return [{"date": _iso(day), "value": _text(daily[day].value)} for day in sorted(daily)[-SERIES_DAYS:]]
    days = [last_day - timedelta(days=back) for back in range(SERIES_DAYS - 1, -1, -1)]
    return [{"date": _iso(day), "value": _text(daily[day].value) if day in daily else None} for day in days]


def options(evidence: dict, recommended: str) -> list[dict]:
    """What can be chosen, with consequences where they are known; "do nothing" is `continue` with a date."""
    money = evidence["is_money"]
    sums = evidence["sums"]
    spend = per_day(sums["numerator"], sums["days"]) if evidence["numerator"]["code"] == "spend" else None
    forgone = per_day(sums["denominator"], sums["days"]) if evidence["is_cost"] else None
    waste = evidence["per_day"] if money else None
    facts = {
        Choice.STOP: {"saves_per_day": waste, "forgoes_per_day": forgone},
        Choice.CONTINUE: {"costs_per_day": waste},
        Choice.REWRITE: {},
        Choice.CUT: {"spend_per_day": spend},
        Choice.FALSE_ALARM: {},
    }
    return [{"choice": choice.value, "recommended": choice == recommended, **facts[choice]} for choice in Choice]


def per_day(total: str | None, days: int) -> str | None:
    """A sum spread over the days it was made of, as text with two decimals."""
    return None if total is None or not days else _text((Decimal(total) / days).quantize(Decimal("0.01")))


def question(evidence: dict, subject) -> str:
    """What is asked, in the active language; without figures, because everybody reads it."""
    texts = {
        "stop": _("%(subject)s: stop or continue"),
        "rewrite": _("%(subject)s: rewrite or continue"),
        "cut": _("%(subject)s: cut the budget or continue"),
        "review": _("%(subject)s: what to do"),
    }
    return texts[evidence["rule"]["action"]] % {"subject": subject}


def without_money(evidence: dict) -> dict:
    """The same evidence for readers who may not see this channel's money: what tells of it is null, counts and dates stay."""
    if not evidence or not evidence["reveals_money"]:
        return evidence
    hidden = {name for name in ("numerator", "denominator") if evidence[name]["unit"] == "money"}
    hidden |= {"over", "cumulated", "value"}
    later = {name: without_money(evidence[name]) for name in ("at_signature", "at_withdrawal") if name in evidence}
    return (
        evidence
        | later
        | {
            "rule": {**evidence["rule"], "sentence": evidence["rule"]["plain"], "name": None},
            "line": None,
            "goal": None,
            "bounds": None,
            "burned": None,
            "per_day": None,
            "days": [_hide(row, hidden) for row in evidence["days"]],
            "series": [_hide(row, hidden) for row in evidence["series"]],
            "sums": _hide(evidence["sums"], hidden),
        }
    )


def _hide(row: dict, hidden: set[str]) -> dict:
    return {key: None if key in hidden else value for key, value in row.items()}


def options_without_money(rows: list[dict]) -> list[dict]:
    amounts = {"saves_per_day", "costs_per_day", "spend_per_day"}
    return [{key: None if key in amounts else value for key, value in row.items()} for row in rows]


def in_both(render) -> dict[str, str]:
    """A text in both languages, kept with the evidence: readers may be of either."""
    texts = {}
    for language in ("ru", "en"):
        with translation.override(language):
            texts[language] = render()
    return texts


def said(text: dict | None) -> str:
    """A kept text in the reader's language; empty where there is none."""
    return in_language(text["ru"], text["en"]) if text else ""


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(Decimal(value).normalize(), "f")


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
