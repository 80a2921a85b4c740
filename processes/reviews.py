"""Reviews: they open on their day and after changed data, and are done by a person. The sealed decision never changes."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from kpis.selectors.cube import load_cube
from kpis.selectors.measures import Measure, measures_of
from processes import forecasts, ledger, restated, selectors
from processes.escalation import note_deadlines
from processes.evidence import amount, is_beyond
from processes.ledger import Entry
from processes.models import Decision, Review
from processes.restated import Restated
from roles import audit
from roles.models import Company, Membership
from roles.permissions import Permission, RoleKind
from roles.refusals import Conflict, Forbidden
from roles.validation import refuse

State, Kind, Outcome = Decision.State, Review.Kind, Review.Outcome
FACT_DAYS = timedelta(days=7)
"""The fact is the KPI over the last week up to the day of the promise: one day says little."""


class MayNotReview(Forbidden):
    code = "may_not_review"


class ReviewClosed(Conflict):
    code = "review_closed"


def follow_up(*, company: Company, at: datetime) -> None:
    """The pipeline's step after decisions have opened: missed deadlines, reviews that are due, data that has changed."""
    note_deadlines(company=company, at=at)
    open_due(company=company, at=at)
    open_changed(company=company, at=at)


# ---------------------------------------------------------------- opening
def open_due(*, company: Company, at: datetime) -> list[Review]:
    """A review for every signed decision whose day has come, once. Idempotent, safe in a race."""
    today = company.local_date(at)
    waiting = Decision.objects.filter(company=company, state=State.SIGNED, review_on__lte=today)
    rows = waiting.exclude(reviews__kind=Kind.DUE).order_by("review_on", "pk")
    return _open(company, at, [
        Review(company=company, decision=row, kind=Kind.DUE, due_on=row.review_on, opened_at=at) for row in rows
    ])  # fmt: skip


def open_changed(*, company: Company, at: datetime) -> list[Review]:
    """A review for every decision of the last 30 days whose signed figures have changed materially since. Idempotent.

    Compared with what was signed, or with what the last review of this kind saw: the same change opens one review.
    """
    today = company.local_date(at)
    recent = at - restated.LOOKED_AT
    done = Review.objects.filter(company=company, kind=Kind.DATA_CHANGED).order_by("pk")
    rows = list(
        selectors.decisions(company=company)
        .filter(state=State.SIGNED, breach__isnull=False, effective_at__gte=recent)
        .prefetch_related(Prefetch("reviews", done, to_attr="changes"))
    )
    rows = [row for row in rows if not any(review.is_open for review in row.changes)]
    if not rows:
        return []
    now = restated.now_of(company=company, decisions=rows, at=at)
    fires = restated.replayed(company=company, decisions=rows, now=now, at=at)
    fresh = []
    for row in rows:
        seen = row.kept_evidence
        still = fires.get(row.pk)
        found = restated.compare(_last_seen(seen, row.changes), now[row.pk], today=today, fires=still)
        if found.material:
            then = restated.compare(seen, now[row.pk], today=today)
            forecast, fact = changed_figures(seen, then, still)
            fresh.append(Review(
                company=company, decision=row, kind=Kind.DATA_CHANGED, due_on=today, opened_at=at, forecast=forecast, fact=fact,
            ))  # fmt: skip
    return _open(company, at, fresh)


def _open(company: Company, at: datetime, fresh: list[Review]) -> list[Review]:
    """Write them with one audit event each; those that another process has written meanwhile are left out."""
    if not fresh:
        return []
    with transaction.atomic():
        ids = [row.decision_id for row in fresh]
        held = Decision.objects.select_for_update().filter(company=company, pk__in=ids).order_by("pk")
        list(held.values_list("pk", flat=True))
        standing = Review.objects.filter(company=company, decision__in=ids).values_list("decision_id", "kind", "state")
        taken = {(pk, kind) for pk, kind, state in standing if kind == Kind.DUE or state == Review.State.OPEN}
        opened = Review.objects.bulk_create([row for row in fresh if (row.decision_id, row.kind) not in taken])
        for row in opened:
            audit.record(
                company=company, by=None, verb="open_review", obj=row, at=at,
                after={"number": str(row.decision), "kind": str(row.kind)},
            )  # fmt: skip
    return opened


def _last_seen(seen: dict, changes: list[Review]) -> dict:
    """The evidence with the days, and whether it fires, as the last review of changed data saw them."""
    if not changes:
        return seen
    known = {row["date"]: row for row in changes[-1].fact["days"]}
    firing = {"firing": False} if changes[-1].fact.get("fires") is False else {}
    return seen | firing | {"days": [row | known.get(row["date"], {}) for row in seen["days"]]}


def changed_figures(seen: dict, found: Restated, fires: bool | None = None) -> tuple[dict, dict]:
    """(what was signed, what stands there now) of a review of changed data. `fires`: would the rule still fire now?"""
    line, above = amount(seen["line"]), seen["rule"]["comparison"] == "above"
    common = {
        "kpi": seen["kpi"]["code"], "name": seen["kpi"]["name"], "unit": seen["kpi"]["unit"], "line": seen["line"],
        "better": "lower" if above else "higher", "is_money": seen["reveals_money"],
    }  # fmt: skip

    def side(value: Decimal | None, which: str) -> dict:
        rows = [(pair.day, getattr(pair, which)) for pair in found.days]
        days = [
            {
                "date": day.isoformat(),
                "numerator": text(row and row.numerator),
                "denominator": text(row and row.denominator),
            }
            for day, row in rows
        ]
        return common | {"value": text(value), "days": days}

    counted = [pair for pair in found.days if pair.breaching]
    still = [bool(pair.now) and is_beyond(pair.now, line, above) for pair in counted]
    then, now = side(found.was, "was"), side(found.now, "now") | {"breaching": still, "fires": fires}
    verdict, because = forecasts.still_right(then, now)
    return then, now | {"proposed": verdict, "because": because}


# ---------------------------------------------------------------- forecast beside fact
def outlook(*, decision: Decision, at: datetime) -> tuple[dict, dict]:
    """(forecast, fact) of a due review as of a moment, with the verdict that the figures propose."""
    company = decision.company
    (entry,) = ledger.entries(company=company, decisions=[decision], at=at) or (None,)
    seen = decision.kept_evidence
    measure = measures_of(company=company).get(seen["kpi"]["code"])
    forecast = _forecast(decision, seen, measure, entry)
    fact = _fact(decision, measure, entry, company.local_date(at))
    verdict, because = forecasts.proposed(forecast, fact)
    return forecast, fact | {"proposed": verdict, "because": because}


def _forecast(decision: Decision, seen: dict, measure: Measure | None, entry: Entry | None) -> dict:
    terms = decision.terms
    above = seen["rule"]["comparison"] == "above"
    promised = terms.get("expected_value")
    return {
        "kpi": seen["kpi"]["code"], "name": seen["kpi"]["name"], "unit": seen["kpi"]["unit"],
        "better": (measure and measure.better) or ("lower" if above else "higher"), "promised": promised is not None,
        "value": promised if promised is not None else seen["line"], "on": terms.get("expected_on"),
        "words": terms.get("expected", ""), "before": text(entry and entry.before), "is_money": seen["reveals_money"],
    }  # fmt: skip


def _fact(decision: Decision, measure: Measure | None, entry: Entry | None, today: date) -> dict:
    found = {"value": None, "days": 0, "first": None, "last": None}
    promised_on = decision.terms.get("expected_on")
    last = min(today, date.fromisoformat(promised_on)) if promised_on else today
    last -= timedelta(days=1)
    if measure is not None and entry is not None and entry.begin is not None and entry.begin <= last:
        first = max(entry.begin, last - FACT_DAYS + timedelta(days=1))
        cube = load_cube(
            company=decision.company, start=first, end=last, channel_ids=[decision.channel_id],
            metrics=measure.formula.metrics, campaigns=bool(decision.campaign_id),
        )  # fmt: skip
        if decision.campaign_id:
            figure = cube.campaign_kpi(measure.formula, decision.campaign_id)
        else:
            figure = cube.kpi(measure.formula, [decision.channel_id])
        found = {
            "value": text(figure.value), "days": figure.known_pairs, "first": first.isoformat(), "last": last.isoformat(),
        }  # fmt: skip
    money = entry.account if entry else None
    names = ("net", "kept", "given_up", "paid", "lost")
    return found | {name: text(getattr(money, name)) if money else None for name in names}


def text(value: Decimal | None) -> str | None:
    """A figure as a review keeps it: at most six places."""
    return None if value is None else format(round(Decimal(value), 6).normalize(), "f")


# ---------------------------------------------------------------- doing
def may_review(*, person: Membership, decision: Decision) -> bool:
    """Whoever may decide here, and the owner; the signer too, but both names then stand beside each other."""
    return person.can(Permission.DECIDE, decision.channel_id) or person.wears(RoleKind.OWNER)


@transaction.atomic
def close_review(
    *, company: Company, review: Review, by: Membership, at: datetime, verdict: str, note: str
) -> Review:  # fmt: skip
    """Say what came of it: the figures of this moment are kept beside the verdict and the words.

    Raises MayNotReview (403), ReviewClosed (409), Refused without a verdict or words.
    """
    review = get_review(company=company, pk=review.pk)
    if not may_review(person=by, decision=review.decision):
        raise MayNotReview(_("The marketing director or the owner reviews a decision."))
    if verdict not in Outcome.values:
        raise refuse("verdict", "invalid", _("Choose what came of it."))
    if not note.strip():
        raise refuse("note", "required", _("Say what the figures show and what was learnt."))
    kept = {"verdict": verdict, "note": note.strip(), "reviewed_by": by, "reviewed_at": at, "state": Review.State.DONE}
    if review.kind == Kind.DUE:
        kept["forecast"], kept["fact"] = outlook(decision=review.decision, at=at)
    rows = Review.objects.filter(company=company, pk=review.pk, state=Review.State.OPEN)
    if not rows.update(**kept):
        raise ReviewClosed(_("Somebody has reviewed it already."))
    for name, value in kept.items():
        setattr(review, name, value)
    audit.record(
        company=company, by=by, verb="close_review", obj=review, at=at, reason=note.strip(),
        after={"number": str(review.decision), "kind": str(review.kind), "verdict": verdict},
    )  # fmt: skip
    return review


# ---------------------------------------------------------------- reading
def get_review(*, company: Company, pk: int) -> Review | None:
    return Review.objects.filter(company=company, pk=pk).prefetch_related(_decisions(company)).first()


def _decisions(company: Company) -> Prefetch:
    return Prefetch("decision", selectors.decisions(company=company))


def open_reviews(*, company: Company) -> QuerySet[Review]:
    """What waits to be reviewed, the oldest day first, with the decision and who signed it."""
    rows = Review.objects.filter(company=company, state=Review.State.OPEN)
    return rows.select_related(
        "decision__company", "decision__channel", "decision__campaign", "decision__signed_by__user"
    ).order_by("due_on", "pk")


def due_at(review: Review) -> datetime:
    """By when the review is expected: the end of its working day, in the company's zone."""
    return datetime.combine(review.due_on, time(18, 0), tzinfo=review.decision.company.zone)
