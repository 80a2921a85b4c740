"""The terms of a choice: what must be said with it, and how it is kept with the decision (JSON)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from kpis.models import StopRuleVersion
from kpis.windows import budget_of
from processes.models import Choice, Decision
from roles import selectors
from roles.fields import to_micros
from roles.models import Channel
from roles.refusals import FieldError, Refused

LONGEST_OVERRIDE = timedelta(days=14)
LONGEST_FORECAST = timedelta(days=365)
LONGEST_TEXT = 300


class WrongTerms(Refused):
    code = "wrong_terms"


@dataclass(frozen=True)
class Terms:
    """What the signer typed; only what belongs to the choice is looked at and kept.

    `extra_spend` and `budget` are money (the budget of a channel is per month), `keep` the ids of campaigns that go on,
    `assignee` a person's id; `checker` the one of whoever is to check what an owner who runs the channel proposes. What should come of it: `expected_value` of the rule's KPI (in its own unit) by the day
    `expected_on`, on which it is reviewed, and `expected` in free words.
    """

    until: date | None = None
    extra_spend: Decimal | None = None
    budget: Decimal | None = None
    resume_on: date | None = None
    keep: Iterable[int] = ()
    assignee: int | None = None
    checker: int | None = None
    due: date | None = None
    expected: str = ""
    expected_value: Decimal | None = None
    expected_on: date | None = None


def checked(*, decision: Decision, choice: str, reason: str, terms: Terms, today: date) -> dict:
    """The terms as they are kept. Raises WrongTerms with every field that is missing or wrong."""
    errors: list[FieldError] = []
    if choice not in Choice.values:
        errors.append(FieldError("choice", "invalid", _("Choose what is to be done.")))
    if not reason.strip():
        errors.append(FieldError("reason", "required", _("Say why: without a reason it cannot be signed.")))
    if len(terms.expected) > LONGEST_TEXT:
        errors.append(FieldError("expected", "too_long", _("Say it in at most 300 characters.")))
    check = {
        Choice.STOP: _stop, Choice.CONTINUE: _continue, Choice.REWRITE: _rewrite, Choice.CUT: _cut,
    }.get(choice)  # fmt: skip
    kept = check(decision, terms, today, errors) if check else {}
    kept |= _forecast(terms, today, errors)
    if errors:
        raise WrongTerms(errors[0].message if len(errors) == 1 else _("Some fields are not right: see errors."), errors)
    return {**kept, "expected": terms.expected.strip()} if terms.expected.strip() else kept


def _forecast(terms: Terms, today: date, errors: list) -> dict:
    """What the KPI should come to, and the day on which that is looked at."""
    kept = {}
    if terms.expected_value is not None:
        try:
            to_micros(terms.expected_value)
        except ValueError:
            errors.append(FieldError("expected_value", "invalid", _("Enter a figure of the KPI.")))
        kept["expected_value"] = str(terms.expected_value)
    if terms.expected_on is not None:
        if not today < terms.expected_on <= today + LONGEST_FORECAST:
            message = _("Name a day after today, within a year: then the forecast is looked at.")
            errors.append(FieldError("expected_on", "out_of_range", message))
        kept["expected_on"] = terms.expected_on.isoformat()
    return kept


def _stop(decision: Decision, terms: Terms, today: date, errors: list) -> dict:
    kept = {}
    if terms.resume_on is not None:
        if terms.resume_on <= today:
            errors.append(FieldError("resume_on", "past", _("Name a later day to return to the question.")))
        kept["resume_on"] = terms.resume_on.isoformat()
    if keep := sorted(set(terms.keep)):
        known = set(running_campaigns(decision).filter(pk__in=keep).values_list("pk", flat=True))
        if set(keep) - known:
            message = _("Only running campaigns of this channel can be kept.")
            errors.append(FieldError("keep", "unknown", message))
        kept["keep"] = keep
    return kept


def running_campaigns(decision: Decision):
    """The campaigns that a stop of the channel would stop; none when the decision is about one campaign."""
    found = selectors.campaigns(company=decision.company).filter(
        channel_id=decision.channel_id, status__in=Channel.RUNNING
    )
    return found.none() if decision.campaign_id else found


def _continue(decision: Decision, terms: Terms, today: date, errors: list) -> dict:
    """Until a date, 14 days at most, or until extra spend, whichever is first: spend alone gets the longest date."""
    latest = today + LONGEST_OVERRIDE
    if terms.until is None and terms.extra_spend is None:
        errors.append(FieldError("until", "required", _("Name a date: without it the override would never end.")))
        return {}
    until = terms.until or latest
    if until <= today:
        errors.append(FieldError("until", "past", _("Name a day after today.")))
    elif until > latest:
        message = _("Fourteen days at most: then the question comes back.")
        errors.append(FieldError("until", "too_late", message))
    kept = {"until": until.isoformat()}
    if terms.extra_spend is not None and _is_amount(terms.extra_spend, "extra_spend", errors, above_zero=True):
        kept["extra_spend"] = str(terms.extra_spend)
    return kept


def _rewrite(decision: Decision, terms: Terms, today: date, errors: list) -> dict:
    person = None
    if terms.assignee is not None:
        person = selectors.get_person_by_id(company=decision.company, pk=terms.assignee)
    if person is None:
        errors.append(FieldError("assignee", "required", _("Choose who rewrites.")))
    if terms.due is None:
        errors.append(FieldError("due", "required", _("Name the day by which it is rewritten.")))
    elif terms.due < today:
        errors.append(FieldError("due", "past", _("This date is past: give today or a later day.")))
    if person is None or terms.due is None:
        return {}
    return {"assignee": person.pk, "assignee_name": str(person), "due": terms.due.isoformat()}


def _cut(decision: Decision, terms: Terms, today: date, errors: list) -> dict:
    if terms.budget is None:
        errors.append(FieldError("budget", "required", _("Name the new budget.")))
        return {}
    if not _is_amount(terms.budget, "budget", errors):
        return {}
    current = current_budget(decision)
    if current is not None and terms.budget >= current:
        errors.append(FieldError("budget", "not_lower", _("A cut budget is lower than the current one.")))
    return {"budget": str(terms.budget), "budget_before": None if current is None else str(current)}


def current_budget(decision: Decision) -> Decimal | None:
    """What a cut would lower: the campaign's budget, or the channel's, of a test where its rule is about one; None where none
    is set."""
    if decision.breach is None:
        return decision.campaign.budget if decision.campaign_id else decision.channel.monthly_budget
    return budget_of(decision.breach.version, decision.channel, decision.campaign)


def cuts_a_test(decision: Decision) -> bool:
    """Is it the channel's budget of a test that a cut would lower?"""
    about_test = decision.breach is not None and decision.breach.version.period == StopRuleVersion.Period.TEST
    return about_test and not decision.campaign_id and decision.channel.test_budget is not None


def _is_amount(value: Decimal, field: str, errors: list, above_zero: bool = False) -> bool:
    try:
        fits = to_micros(value) >= (1 if above_zero else 0)
    except ValueError:
        fits = False
    if not fits:
        errors.append(FieldError(field, "invalid", _("Enter an amount of money that is not below zero.")))
    return fits
