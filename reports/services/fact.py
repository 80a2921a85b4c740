"""The fact of a week: figures from data, the conclusion, and the actions that follow from it."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from processes.models import Action
from processes.services import MOST_CARRIES, carry_action, close_action, create_action
from reports import filing
from reports.filing import ActionDraft, FactDraft, Incomplete, Promise
from reports.models import ReportAction, Timeliness, WeeklyReport
from reports.selectors.figures import Figures, figures_of, kept_figures
from reports.selectors.promises import open_promises
from reports.services.claims import claim, keep
from roles import audit, formats
from roles.models import Company, Membership
from roles.refusals import FieldError
from roles.selectors import people

State = WeeklyReport.State


def check_fact_is_writable(row: WeeklyReport, at: datetime) -> None:
    if not filing.may_edit_fact(row, at):
        raise filing.AlreadyFiled(_("The fact is filed. To change it, ask the marketing director to return it."))


def write_fact(row: WeeklyReport, fact: FactDraft, by: Membership, at: datetime) -> None:
    """Put what was written into the row (the caller stores it); 400 for codes that are none and figures that may not be typed."""
    _check_codes(fact)
    for name in ("cause", "conclusion", "no_action_reason", "late_reason"):
        if (value := getattr(fact, name)) is not None:
            setattr(row, name, value.strip())
    if fact.actions is not None:
        row.draft = {**row.draft, "actions": [action.as_json() for action in fact.actions if not action.is_empty]}
    if fact.promises is not None:
        row.draft = {**row.draft, "promises": [promise.as_json() for promise in fact.promises]}
    _write_typed(row, fact.typed, by, at)
    for item in row.plan_items.filter(pk__in=fact.actuals):
        item.actual = fact.actuals[item.pk]
        item.save(update_fields=["actual"])


def _check_codes(fact: FactDraft) -> None:
    known = {"cause": WeeklyReport.Cause, "late_reason": WeeklyReport.LateReason}
    for name, choices in known.items():
        value = getattr(fact, name)
        if value and value not in choices.values:
            message = _("Choose one of: %s.") % ", ".join(choices.values)
            raise Incomplete(message, [FieldError(name, "unknown", message)])


def _write_typed(row: WeeklyReport, typed: dict[str, Decimal | None], by: Membership, at: datetime) -> None:
    """Typed figures, marked with their author; 400 for a metric that a source gives."""
    if not typed:
        return
    figures = figures_of(company=row.company, reports=[row], at=at)[row.pk]
    free = {line.measure: line.may_type for line in figures.lines}
    errors = []
    for measure, value in typed.items():
        if not free.get(measure) and value is not None:
            text = _("This figure comes from a source: only the analyst can correct it there.")
            errors.append(FieldError(f"typed.{measure}", "from_data", text))
        elif value is not None and value < 0 and not filing.is_signed(measure):
            errors.append(FieldError(f"typed.{measure}", "negative", _("A figure cannot be below zero.")))
    if errors:
        raise Incomplete(errors[0].message, errors)
    for line in row.plan_lines.filter(measure__in=typed):
        if line.typed_fact != typed[line.measure]:
            line.typed_fact, line.typed_by = typed[line.measure], by if typed[line.measure] is not None else None
            line.save(update_fields=["typed_fact", "typed_by"])


def submit_fact(
    *, company: Company, by: Membership, at: datetime, report: WeeklyReport, version: int | None = None,
    fact: FactDraft | None = None,
) -> WeeklyReport:  # fmt: skip
    """File the fact: on time until Friday 18:00, late until the lock; keeps the figures as seen now, gives the actions.

    400 lists what is missing: where something is off plan, red or unknown, a conclusion (cause and text) and an action
    with owner and date, or why there is none. When `fact.promises` is given, every open promise needs its mark; when
    `fact.late_reason` is (a form that asks), it may not stay empty after the deadline.
    409 before Friday noon, when filed already, or when the week is locked.
    """
    with transaction.atomic():
        row = claim(company, report, version, fact.tab if fact else "")
        filing.check_may_file(by, row)
        filing.check_open(row, at)
        if at < row.fact_opens_at:
            opens = formats.moment(row.fact_opens_at, company.zone)
            raise filing.FactNotOpen(_("The fact is filed from %s on: until then the figures are not there.") % opens)
        check_fact_is_writable(row, at)
        if fact is not None:
            write_fact(row, fact, by, at)
        figures = figures_of(company=company, reports=[row], at=at)[row.pk]
        actions = _new_actions(row)
        promises = _given_promises(row, fact)
        lateness = _lateness_unsaid(row, fact, at)
        _check_fact_is_whole(row, figures, actions, promises, lateness, company.local_date(at))
        _mark_promises(row, promises, company, by, at)
        _give_actions(row, actions, company, by, at)
        _note_filed(row, figures, by, at)
        audit.record(
            company=company, by=by, verb="submit_weekly_fact", obj=row, at=at,
            after={
                "channel": row.channel.name, "timeliness": row.timeliness, "on_behalf": row.on_behalf,
                "snapshot": row.snapshot,
            },
        )  # fmt: skip
        return keep(row, by, at)


def _new_actions(row: WeeklyReport) -> list[ActionDraft]:
    """Drafted actions without those that this report has given already: filing again doubles nothing."""
    given = {(link.action.text, link.action.owner_id, link.action.due_on) for link in _links(row)}
    return [
        action
        for action in filing.drafted_actions(row)
        if (action.text.strip(), action.owner_id, action.due_on) not in given
    ]


def _links(row: WeeklyReport):
    return row.action_links.select_related("action")


def _given_promises(row: WeeklyReport, fact: FactDraft | None) -> list[tuple[Action, Promise | None]]:
    """Open promises with their marks; without marks in this call, those of the draft, and nothing is demanded."""
    marks = filing.drafted_promises(row)
    demanded = fact is not None and fact.promises is not None
    found = open_promises(company=row.company, report=row)
    return [(action, marks.get(action.pk)) for action in found if demanded or action.pk in marks]


def _check_fact_is_whole(
    row: WeeklyReport, figures: Figures, actions: list[ActionDraft], promises, lateness: list[FieldError], today: date
) -> None:  # fmt: skip
    errors = [*_words_missing(row, figures, actions), *_wrong_actions(row, actions, today), *lateness]
    errors += [error for action, promise in promises for error in _wrong_promise(action, promise, today)]
    if errors:
        raise Incomplete(_("The fact is not filed: see what is missing."), errors)


def _lateness_unsaid(row: WeeklyReport, fact: FactDraft | None, at: datetime) -> list[FieldError]:
    asked = fact is not None and fact.late_reason is not None
    if not asked or row.late_reason or at <= row.fact_due_at:
        return []
    return [FieldError("late_reason", "missing", _("Choose why it is filed after the deadline."))]


def _words_missing(row: WeeklyReport, figures: Figures, actions: list[ActionDraft]) -> list[FieldError]:
    if not figures.needs_words:
        return []
    names = ", ".join(figures.demanding[:3]) or _("there are no figures")
    errors = []
    if not row.cause:
        errors.append(FieldError("cause", "missing", _("Choose the cause. Off plan or red: %s.") % names))
    if not row.conclusion:
        text = _("Write why it came out so, one or two sentences. Off plan or red: %s.") % names
        errors.append(FieldError("conclusion", "missing", text))
    if not actions and not row.no_action_reason and not _links(row).exists():
        text = _("Give an action with a person and a date, or say why none is needed.")
        errors.append(FieldError("actions", "missing", text))
    return errors


def _wrong_actions(row: WeeklyReport, actions: list[ActionDraft], today: date) -> list[FieldError]:
    active = set(people(company=row.company).values_list("pk", flat=True)) if actions else set()
    errors = []
    if len(actions) > filing.MOST_ACTIONS:
        errors.append(FieldError("actions", "too_many", _("Ten actions at most: name the main ones.")))
    for index, action in enumerate(actions):
        if not action.text.strip():
            errors.append(FieldError("actions.text", "missing", _("Say what is to be done."), index))
        if action.owner_id not in active:
            errors.append(FieldError("actions.owner", "missing", _("Choose who does it."), index))
        if action.due_on is None:
            text = _("Give the date: without it no reminder will come.")
            errors.append(FieldError("actions.due", "missing", text, index))
        elif action.due_on < today:
            errors.append(FieldError("actions.due", "past", _("This date is past: give today or a later day."), index))
    return errors


def _wrong_promise(action: Action, promise: Promise | None, today: date) -> list[FieldError]:
    field = f"promises.{action.pk}"
    if action.carried >= MOST_CARRIES:
        if promise is None or promise.mark not in {"done", "drop", "stand_up"}:
            text = _("It was moved three times: mark it done, drop it, or leave it to the stand-up.")
            return [FieldError(field, "carried", text)]
    elif promise is None or promise.mark not in {"done", "move", "drop"}:
        return [FieldError(field, "missing", _("Mark what became of it: done, moved or dropped."))]
    if promise.mark == "move" and (promise.due_on is None or promise.due_on < today):
        return [FieldError(f"{field}.due", "missing", _("Give the new date: today or a later day."))]
    if promise.mark == "drop" and not promise.reason.strip():
        return [FieldError(f"{field}.reason", "missing", _("Say why it is dropped."))]
    return []


def _mark_promises(row: WeeklyReport, promises, company: Company, by: Membership, at: datetime) -> None:
    for action, promise in promises:
        if promise.mark == "move":
            carry_action(company=company, by=by, at=at, action=action, due_on=promise.due_on)
            ReportAction.objects.get_or_create(company=company, report=row, action=action)
        elif promise.mark == "stand_up":
            ReportAction.objects.get_or_create(company=company, report=row, action=action)
        else:
            done = promise.mark == "done"
            close_action(company=company, by=by, at=at, action=action, done=done, note=promise.reason.strip())


def _give_actions(
    row: WeeklyReport, actions: list[ActionDraft], company: Company, by: Membership, at: datetime
) -> None:
    owners = people(company=company).in_bulk([action.owner_id for action in actions])
    for draft in actions:
        action = create_action(
            company=company, by=by, at=at, text=draft.text.strip(), owner=owners[draft.owner_id], due_on=draft.due_on,
            channel=row.channel,
        )  # fmt: skip
        ReportAction.objects.create(company=company, report=row, action=action)
    row.draft = {}


def _note_filed(row: WeeklyReport, figures: Figures, by: Membership, at: datetime) -> None:
    """Timeliness is that of the first filing; filing after the lock stays missed, after a return it changes nothing."""
    if row.fact_submitted_at is None:
        row.timeliness = filing.timeliness(row.timeliness, in_time=at <= row.fact_due_at)
        row.on_behalf = not filing.holds_channel(by, row.channel_id)
        if row.timeliness == Timeliness.ON_TIME:
            row.late_reason = ""
    row.fact_submitted_at, row.fact_submitted_by = at, by
    row.snapshot = kept_figures(figures, at)
    row.state = State.SUBMITTED
