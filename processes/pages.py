"""What the decision's page shows: everything decided before the template sees it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from kpis.charts import Plot, line_plot
from kpis.day_classes import Window
from kpis.models import DataIncident
from kpis.selectors import incidents
from kpis.series import last_day_taken
from processes import changed, deciders, evidence, sealing, selectors, wording
from processes.after_pages import After, after_parts
from processes.changed import Changed
from processes.models import Decision, Signature
from processes.opening import Behind, Parts, burned_behind, parts_of
from processes.signing import Standing
from roles import formats
from roles import selectors as roles_selectors
from roles.models import Membership
from roles.permissions import Permission

STAND_UP = time(10, 0)
MOST_DAYS = 21


@dataclass(frozen=True)
class DayRow:
    """A day of the evidence, written out; `hot`: it counted for the rule. `until`: the last day of its figures (a mailing's
    are three days'), None where they are no KPI of a day."""

    day: date
    numerator: str
    denominator: str
    value: str
    over: str
    cumulated: str
    hot: bool
    until: date | None


@dataclass(frozen=True)
class Cost:
    """What waiting costs: per known day, so far, and until the next stand-up; money, None where unknown."""

    per_day: Decimal | None
    burned: Decimal | None
    days: int
    numerator: str
    denominator: str
    until: datetime | None = None
    by_then: Decimal | None = None
    more_days: Decimal | None = None


@dataclass(frozen=True)
class OptionRow:
    choice: str
    title: str
    why: str
    by_rule: bool
    needs_second: bool


@dataclass(frozen=True)
class Signer:
    """A line of "who signs": when `second`, shown for the choices that need the second signature."""

    name: str
    state: str
    note: str
    is_second: bool = False


@dataclass(frozen=True)
class DecisionPage:
    decision: Decision
    evidence: dict
    sees_money: bool
    quote: str
    sentence: str
    names: dict[str, str]
    sources: list[dict]
    plot: Plot | None
    days: list[DayRow]
    parts: Parts
    burned_of: Behind | None
    cost: Cost | None
    options: list[OptionRow]
    standing: Standing
    signers: list[Signer]
    deciders: list[Membership]
    waits: timedelta
    overdue: bool
    changed: Changed | None
    cosign_problem: str | None
    may_take_back: bool
    may_withdraw: bool
    after: After
    terms: list[tuple[str, str]]
    refused: list[Signature]
    earlier: list[Decision]
    doubts: list[DataIncident]
    withdrawn_by: Membership | None
    intact: bool

    @property
    def known_at(self) -> datetime | None:
        """The moment whose figures were signed; None while nothing is."""
        return self.decision.signed_at

    @property
    def began(self) -> date | None:
        """The first breaching day, since which the money over the line is added up."""
        return _date(self.evidence.get("first_day"))

    @property
    def opened_on(self) -> date:
        return self.decision.company.local_date(self.decision.opened_at)

    @property
    def columns(self) -> dict[str, bool]:
        """Which columns of the days have a figure at all: the others are left out."""
        names = ("numerator", "denominator", "value", "over")
        return {name: any(getattr(row, name) != formats.NOTHING for row in self.days) for name in names}

    @property
    def second(self) -> Signer | None:
        return next((signer for signer in self.signers if signer.is_second), None)


def decision_page(*, decision: Decision, person: Membership, at: datetime) -> DecisionPage:
    """The whole page for one reader. Live evidence while undecided, the kept one afterwards."""
    people = deciders.around_at(decision, at)
    sees_money = person.can(Permission.VIEW_MONEY, decision.channel_id)
    seen = _shown_evidence(decision, at, people, sees_money)
    standing = deciders.standing_of(decision=decision, person=person, at=at, people=people)
    waits_cosign = decision.state == Decision.State.WAITING_COSIGN
    after = after_parts(decision=decision, seen=seen, person=person, at=at, sees_money=sees_money)
    is_changed = changed.changed_of(decision, refined=after.refined is not None)
    currency = decision.company.currency
    rule = seen.get("rule", {})
    return DecisionPage(
        decision=decision,
        evidence=seen,
        sees_money=sees_money,
        quote=wording.quote(_told(decision, seen, sees_money), currency),
        sentence=evidence.said(rule.get("sentence")),
        names=_names(seen, currency) if seen else {},
        sources=[{**row, "day": _date(row["last_day"])} for row in seen.get("sources", ())],
        plot=_plot(decision, seen),
        days=_days(seen, currency),
        parts=parts_of(seen),
        burned_of=burned_behind(seen),
        cost=_cost(decision, seen, at) if sees_money and seen.get("is_money") else None,
        options=_options(decision, seen, standing, sees_money),
        standing=standing,
        signers=_signers(decision, person, standing, people),
        deciders=deciders.deciders(decision=decision, people=people),
        waits=at - decision.opened_at,
        overdue=decision.is_open and at > decision.deadline_at,
        changed=is_changed,
        cosign_problem=_cosign_problem(decision, person, people) if waits_cosign else None,
        may_take_back=waits_cosign and decision.signed_by_id == person.pk,
        may_withdraw=is_changed is not None and selectors.may_withdraw(person=person, standing=standing, people=people),
        after=after,
        terms=wording.terms_lines(decision, sees_money=sees_money, campaigns=_kept_names(decision)),
        refused=[row for row in decision.signatures.all() if row.part == Signature.Part.REFUSE],
        earlier=selectors.earlier_rounds(decision=decision),
        doubts=_doubts(decision, seen),
        withdrawn_by=selectors.withdrawn_by(decision),
        intact=decision.state != Decision.State.SIGNED or sealing.is_intact(decision),
    )


def _shown_evidence(decision: Decision, at: datetime, people, sees_money: bool) -> dict:
    if decision.is_open:
        seen = selectors.waiting_decision(decision=decision, at=at, people=people).evidence
    else:
        seen = decision.kept_evidence
    return seen if sees_money or not seen else evidence.without_money(seen)


def _doubts(decision: Decision, seen: dict) -> list[DataIncident]:
    """Data incidents about the days of an open question: whoever signs has to know that its figures are doubted."""
    if not decision.is_open or not seen:
        return []
    start, end = (date.fromisoformat(seen[name]) for name in ("rests_from", "last_day"))
    return incidents.doubts_about(company=decision.company, channel=decision.channel, start=start, end=end)


def _told(decision: Decision, seen: dict, sees_money: bool) -> dict:
    told = changed.told_by(decision, seen)
    return told if sees_money or not told else evidence.without_money(told)


def _names(seen: dict, currency: str) -> dict[str, str]:
    """How the columns are called, and the line as a figure."""
    return {
        "numerator": wording.part_name(seen["numerator"]), "denominator": wording.part_name(seen["denominator"]),
        "kpi": wording.kpi_name(seen), "line": wording.value_figure(seen["line"], seen, currency),
    }  # fmt: skip


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _plot(decision: Decision, seen: dict) -> Plot | None:
    series = seen.get("series") or []
    values = [evidence.amount(row["value"]) for row in series]
    if not any(value is not None for value in values):
        return None
    days = [date.fromisoformat(row["date"]) for row in series]
    title = _("%(kpi)s of %(subject)s by day") % {"kpi": wording.kpi_name(seen), "subject": decision.subject}
    return line_plot(
        days, values, seen["kpi"]["unit"], title, f"{formats.days(days[0], days[-1])}. {wording.quote(seen, decision.company.currency)}",
        goal=evidence.amount(seen["goal"]), line=evidence.amount(seen["line"]), size="m",
        breach_days=[date.fromisoformat(day) for day in seen["breaching_days"]],
        gap_days=_gaps(days, values),
    )  # fmt: skip


def _gaps(days: list[date], values: list[Decimal | None]) -> list[date]:
    """Days without a figure since the first one that has it: before that the channel had not begun."""
    first = next(index for index, value in enumerate(values) if value is not None)
    return [day for day, value in zip(days[first:], values[first:], strict=True) if value is None]


def _days(seen: dict, currency: str) -> list[DayRow]:
    """The newest days of the evidence; the sums beside them count all of it."""
    return [
        DayRow(
            day=date.fromisoformat(row["date"]),
            numerator=wording.part_figure(row["numerator"], seen["numerator"], currency),
            denominator=wording.part_figure(row["denominator"], seen["denominator"], currency),
            value=wording.value_figure(row["value"], seen, currency),
            over=formats.number(evidence.amount(row["over"])),
            cumulated=formats.number(evidence.amount(row["cumulated"])),
            hot=row["breaching"],
            until=_until(date.fromisoformat(row["date"]), seen),
        )
        for row in seen.get("days", ())[-MOST_DAYS:]
    ]


def _until(day: date, seen: dict) -> date | None:
    window = seen["rule"].get("window")
    if window == Window.BUDGET or (window == Window.EVENT and day.isoformat() < seen["first_day"]):
        return None  # of earlier mailings the evidence does not tell which they were
    return last_day_taken(window, day)


def _cost(decision: Decision, seen: dict, at: datetime) -> Cost | None:
    per_day, burned, currency = (
        evidence.amount(seen["per_day"]),
        evidence.amount(seen["burned"]),
        decision.company.currency,
    )
    if burned is None:
        return None
    cost = {
        "per_day": per_day, "burned": burned, "days": seen["sums"]["days"],
        "numerator": wording.part_figure(seen["sums"]["numerator"], seen["numerator"], currency),
        "denominator": wording.part_figure(seen["sums"]["denominator"], seen["denominator"], currency),
    }  # fmt: skip
    if decision.is_open and per_day is not None and per_day > 0:
        until = next_stand_up(at, decision.company.zone)
        more = Decimal((until - at) / timedelta(days=1)).quantize(Decimal("0.1"))
        cost |= {"until": until, "more_days": more, "by_then": burned + per_day * more}
    return Cost(**cost)


def next_stand_up(at: datetime, zone) -> datetime:
    """The next Monday 10:00 of the company's zone after a moment."""
    local = at.astimezone(zone)
    monday = datetime.combine(local.date() - timedelta(days=local.weekday()), STAND_UP, tzinfo=zone)
    return monday if monday > local else datetime.combine(monday.date() + timedelta(days=7), STAND_UP, tzinfo=zone)


def _options(decision: Decision, seen: dict, standing: Standing, sees_money: bool) -> list[OptionRow]:
    rows = (
        evidence.options(seen, decision.recommendation) if decision.is_open and seen.get("sums") else decision.options
    )
    if not sees_money:
        rows = evidence.options_without_money(rows)
    return [
        OptionRow(
            choice=row["choice"],
            title=wording.choice_title(row["choice"]),
            why=wording.consequence(row, seen, decision.company.currency),
            by_rule=row["recommended"],
            needs_second=row["choice"] in standing.must_cosign,
        )
        for row in rows
    ]


def _signers(decision: Decision, person: Membership, standing: Standing, people) -> list[Signer]:
    if not standing.may_sign:
        return []
    first = Signer(str(person), _("now"), str(standing.why))
    if not standing.must_cosign:
        return [first]
    second = deciders.cosigners(decision=decision, signer_id=person.pk, cosigner=standing.cosigner, people=people)
    names = ", ".join(str(other) for other in second)
    return [first, Signer(names or _("nobody can"), _("after you"), standing.cosign_why, is_second=True)]


def _cosign_problem(decision: Decision, person: Membership, people) -> str | None:
    return deciders.cosign_problem(
        decision=decision, person=person, signer_id=decision.signed_by_id, cosigner=decision.cosigner, people=people
    )


def _kept_names(decision: Decision) -> dict[int, str]:
    if not decision.terms.get("keep"):
        return {}
    found = roles_selectors.campaigns(company=decision.company).filter(pk__in=decision.terms["keep"])
    return {campaign.pk: campaign.name for campaign in found}
