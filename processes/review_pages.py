"""A review as the decision's page shows it: the forecast beside the fact, the verdict that the figures propose, who judges."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from processes import reviews
from processes.evidence import amount, said
from processes.models import Decision, Review
from processes.opening import Behind, Parts, parts_of
from roles import formats
from roles.models import Membership

Outcome = Review.Outcome


@dataclass(frozen=True)
class Pair:
    """One row of forecast beside fact; `behind`: the facts of the latter, or `place` where it is told on the page."""

    name: str
    forecast: str
    fact: str
    behind: Behind | None = None
    place: str = ""


@dataclass(frozen=True)
class ReviewPanel:
    """`proposed`: the verdict by arithmetic, `because` in words; `one_judge`: who signed has also judged."""

    review: Review
    pairs: list[Pair]
    words: str
    proposed: str
    because: str
    outcomes: list[tuple[str, str]]
    verdict: str
    may_review: bool
    is_own: bool

    @property
    def is_due(self) -> bool:
        return self.review.kind == Review.Kind.DUE

    @property
    def one_judge(self) -> bool:
        return (
            self.review.reviewed_by_id is not None and self.review.reviewed_by_id == self.review.decision.signed_by_id
        )

    @property
    def proposed_label(self) -> str:
        return dict(self.outcomes)[self.proposed]


def panels(*, decision: Decision, person: Membership, at: datetime, sees_money: bool) -> list[ReviewPanel]:
    """The reviews of a decision, the newest first; an open one with the figures of now."""
    rows = Review.objects.filter(company=decision.company, decision=decision).select_related("reviewed_by__user")
    may = reviews.may_review(person=person, decision=decision)
    return [_panel(row, decision, person, at, sees_money, may) for row in rows.order_by("-opened_at", "-pk")]


def _panel(row: Review, decision: Decision, person: Membership, at: datetime, sees: bool, may: bool) -> ReviewPanel:
    row.decision = decision
    forecast, fact = row.forecast, row.fact
    if row.kind == Review.Kind.DUE and row.is_open:
        forecast, fact = reviews.outlook(decision=decision, at=at)
    hidden = forecast["is_money"] and not sees
    labels = outcome_labels(row.kind)
    return ReviewPanel(
        review=row, pairs=[] if hidden else _pairs(row, forecast, fact, decision),
        words=forecast.get("words", ""), proposed=fact["proposed"],
        because="" if hidden else because(fact, forecast, decision.company.currency), outcomes=labels,
        verdict=dict(labels).get(row.verdict, ""), may_review=may and row.is_open, is_own=decision.signed_by_id == person.pk,
    )  # fmt: skip


def outcome_labels(kind: str) -> list[tuple[str, str]]:
    """What can be said of a forecast, or of a decision whose figures have changed."""
    if kind == Review.Kind.DUE:
        return [(value, str(label).capitalize()) for value, label in Outcome.choices]
    return [
        (Outcome.CAME_TRUE, _("The decision still stands")),
        (Outcome.PARTLY, _("It stands in part")),
        (Outcome.NO, _("With these figures it would not have been taken")),
        (Outcome.CANNOT_TELL, _("Cannot tell")),
    ]


def _pairs(row: Review, forecast: Mapping, fact: Mapping, decision: Decision) -> list[Pair]:
    unit, name, currency, kpi = forecast["unit"], said(forecast["name"]), decision.company.currency, forecast["kpi"]
    parts = parts_of(decision.kept_evidence)

    def figure(text: str | None) -> str:
        return formats.figure(amount(text), unit, currency)

    if row.kind == Review.Kind.DATA_CHANGED:
        days = _changed_days(forecast, fact, figure, kpi, parts)
        return [Pair(name, figure(forecast["value"]), figure(fact["value"])), *days]
    lower = forecast["better"] == "lower"
    bound = _("at most %(value)s") if lower else _("at least %(value)s")
    span = [date.fromisoformat(fact[end]) for end in ("first", "last") if fact[end]]
    pairs = [
        Pair(
            _fact_name(name, fact), bound % {"value": figure(forecast["value"])}, figure(fact["value"]),
            Behind(kpi, *span) if span else None,
        )
    ]  # fmt: skip
    if forecast["before"] is not None:
        title = _("%(kpi)s before the decision") % {"kpi": name}
        pairs.append(Pair(title, "", figure(forecast["before"]), _before(decision, kpi)))
    if fact.get("net") is not None:
        pairs.append(
            Pair(_("Money so far"), "", formats.money(amount(fact["net"]), currency, sign=True), place="#h-acc")
        )
    return pairs


def _before(decision: Decision, kpi: str) -> Behind | None:
    """The days of the breach, through the one on which the decision took effect."""
    began, effect = decision.kept_evidence.get("first_day"), decision.effective_at
    return Behind(kpi, date.fromisoformat(began), decision.company.local_date(effect)) if began and effect else None


def _fact_name(name: str, fact: Mapping) -> str:
    if fact["first"] is None:
        return name
    days = formats.days(date.fromisoformat(fact["first"]), date.fromisoformat(fact["last"]), year=False)
    return _("%(kpi)s, %(days)s") % {"kpi": name, "days": days}


def _changed_days(forecast: Mapping, fact: Mapping, figure, kpi: str, parts: Parts) -> list[Pair]:
    found = []
    for was, now in zip(forecast["days"], fact["days"], strict=True):
        if was != now:
            day = date.fromisoformat(was["date"])
            behind = Behind(kpi, day, parts.until(day)) if parts.numerator else None
            found.append(Pair(formats.day(day), figure(_value(was)), figure(_value(now)), behind))
    return found


def _value(row: Mapping) -> str | None:
    top, bottom = amount(row["numerator"]), amount(row["denominator"])
    return str(top / bottom) if top is not None and bottom else None


def because(fact: Mapping, forecast: Mapping, currency: str) -> str:
    """The arithmetic of the proposed verdict, in a sentence."""
    value, target = (formats.figure(amount(row["value"]), forecast["unit"], currency) for row in (fact, forecast))
    before = formats.figure(amount(forecast.get("before")), forecast["unit"], currency)
    net = formats.money(amount(fact.get("net")), currency, sign=True)
    line = formats.figure(amount(forecast.get("line")), forecast["unit"], currency)
    texts = {
        "reached": _("%(value)s is where it was expected: %(target)s."),
        "half": _("From %(before)s it came to %(value)s: at least half of the way to %(target)s."),
        "missed": _("%(value)s against %(target)s: less than half of the way."),
        "few_days": _("Fewer than three days with figures since the decision."),
        "kept_money": _("It does not run again yet; by the account it kept %(net)s."),
        "kept_nothing": _("It does not run again yet; by the account it came to %(net)s."),
        "no_figures": _("There are no figures after the decision."),
        "not_beyond": _(
            "By the figures of now it is %(value)s: the rule would not have fired at the line of %(line)s."
        ),
        "fires_no_more": _("By the figures of now the rule would not have fired on the days it looked at."),
        "still_beyond": _("By the figures of now it is %(value)s: still beyond the line of %(line)s."),
        "some_beyond": _("By the figures of now it is %(value)s, but not every day is beyond the line of %(line)s."),
    }
    words = {"value": value, "target": target, "before": before, "net": net, "line": line}
    return texts[fact["because"]] % words


# ---------------------------------------------------------------- hit rate
@dataclass(frozen=True)
class HitRate:
    """How forecasts came out, of those that were reviewed."""

    came_true: int
    partly: int
    no: int
    cannot_tell: int

    @property
    def reviewed(self) -> int:
        return self.came_true + self.partly + self.no + self.cannot_tell

    @property
    def rate(self) -> Decimal | None:
        """Came true, as a share of those that could be told."""
        told = self.reviewed - self.cannot_tell
        return Decimal(self.came_true) / told if told else None

    @property
    def words(self) -> str:
        """«сбылось 3, не сбылось 1 из 4»; the zeros are left out."""
        parts = (
            (self.came_true, _("came true %(n)s")), (self.partly, _("in part %(n)s")), (self.no, _("did not %(n)s")),
            (self.cannot_tell, _("cannot tell %(n)s")),
        )  # fmt: skip
        found = ", ".join(text % {"n": count} for count, text in parts if count)
        return _("%(parts)s of %(all)s") % {"parts": found, "all": self.reviewed}


def hit_rates(*, person: Membership) -> tuple[HitRate, HitRate]:
    """(everybody's, the reader's own as a signer) over all reviews on their day; one query."""
    rows = list(
        Review.objects.filter(company=person.company, kind=Review.Kind.DUE, state=Review.State.DONE).values_list(
            "verdict", "decision__signed_by_id"
        )
    )
    mine = [verdict for verdict, signer in rows if signer == person.pk]
    return _rate([verdict for verdict, _signer in rows]), _rate(mine)


def _rate(verdicts: list[str]) -> HitRate:
    return HitRate(*(verdicts.count(outcome) for outcome in Outcome.values))
