"""The plan of a week: filed by Monday noon, frozen then, amended with a reason afterwards."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from kpis.selectors.measures import measures_of
from reports import filing
from reports.filing import Incomplete, ItemDraft, PlanDraft
from reports.models import PlanItem, PlanLine, WeeklyReport
from reports.services.claims import claim, keep
from roles import audit
from roles.models import Company, Membership
from roles.refusals import FieldError


def write_plan(row: WeeklyReport, plan: PlanDraft) -> None:
    _check_values(row, plan.values)
    lines = {line.measure: line for line in row.plan_lines.all()}
    for measure, value in plan.values.items():
        line = lines.get(measure) or PlanLine(
            company_id=row.company_id, report=row, measure=measure, position=len(lines)
        )
        if line.pk is None or line.value != value:
            line.basis = PlanLine.Basis.TYPED if value is not None else ""
        line.value = value
        lines[measure] = line
        line.save()
    if plan.items is not None:
        _write_items(row, plan.items)


def _check_values(row: WeeklyReport, values: dict[str, Decimal | None]) -> None:
    """400 for unknown measures and for negative plans of what cannot be negative."""
    known = measures_of(company=row.company) if values else {}
    errors = []
    for measure, value in values.items():
        if measure not in known:
            errors.append(FieldError("plan", "unknown_measure", _("There is no KPI or metric “%s”.") % measure))
        elif value is not None and value < 0 and not filing.is_signed(measure):
            text = _("%(measure)s: a plan cannot be below zero.") % {"measure": known[measure].name}
            errors.append(FieldError(f"plan.{measure}", "negative", text))
    if len(set(values) | set(row.plan_lines.values_list("measure", flat=True))) > filing.MOST_LINES:
        errors.append(FieldError("plan", "too_many", _("At most %s figures in a plan.") % filing.MOST_LINES))
    if errors:
        raise Incomplete(_("The plan is not saved: see what has to be put right."), errors)


def _write_items(row: WeeklyReport, items: list[ItemDraft]) -> None:
    """Replace the items; the number that came of an item is kept where its text stays the same."""
    if len(items) > filing.MOST_ITEMS:
        error = FieldError("items", "too_many", _("Five items at most: name the main ones."))
        raise Incomplete(error.message, [error])
    came = dict(row.plan_items.values_list("text", "actual"))
    row.plan_items.all().delete()
    PlanItem.objects.bulk_create(
        PlanItem(
            company_id=row.company_id, report=row, position=position, text=item.text.strip(), expected=item.expected,
            clause=item.clause.strip(), actual=came.get(item.text.strip()),
        )
        for position, item in enumerate(items)
    )  # fmt: skip


def submit_plan(
    *, company: Company, by: Membership, at: datetime, report: WeeklyReport, version: int | None = None,
    plan: PlanDraft | None = None, reason: str = "",
) -> WeeklyReport:  # fmt: skip
    """File the plan: on time until its deadline (again and again), late until the lock. After the deadline the figures
    are frozen: what differs is kept beside them as an amendment and needs a `reason`. 400 lists what is missing."""
    with transaction.atomic():
        row = claim(company, report, version, plan.tab if plan else "")
        filing.check_may_file(by, row)
        filing.check_open(row, at)
        frozen = filing.plan_is_frozen(row, at)
        if frozen and row.plan_submitted_at:
            raise filing.PlanFrozen(_("The plan is filed and frozen. Change it by an amendment with a reason."))
        if plan is not None and frozen:
            if changed := _changed(row, plan.values):
                _amend(row, by, at, changed, reason)
            if plan.items is not None:
                _write_items(row, plan.items)
        elif plan is not None:
            write_plan(row, plan)
        _check_plan_is_whole(row)
        row.plan_submitted_at, row.plan_submitted_by = at, by
        row.plan_on_behalf = not filing.holds_channel(by, row.channel_id)
        row.plan_timeliness = filing.timeliness(row.plan_timeliness, in_time=not frozen)
        audit.record(
            company=company, by=by, verb="submit_weekly_plan", obj=row, at=at, reason=reason,
            after={
                "channel": row.channel.name, "timeliness": row.plan_timeliness, "on_behalf": row.plan_on_behalf,
            },
        )  # fmt: skip
        return keep(row, by, at)


def _changed(row: WeeklyReport, values: dict[str, Decimal | None]) -> dict[str, Decimal | None]:
    frozen = dict(row.plan_lines.values_list("measure", "value"))
    return {measure: value for measure, value in values.items() if value != frozen.get(measure)}


def _check_plan_is_whole(row: WeeklyReport) -> None:
    errors = [
        FieldError("items.expected", "missing", _("Give the number you expect: without it nobody can tell whether it came true."), index)
        for index, item in enumerate(row.plan_items.all())
        if item.expected is None
    ]  # fmt: skip
    errors += [
        FieldError("items.clause", "missing", _("Say what it serves: a clause of the strategy or a hypothesis."), index)
        for index, item in enumerate(row.plan_items.all())
        if not item.clause
    ]
    if all(line.planned is None for line in row.plan_lines.all()) and not row.plan_items.exists():
        errors.append(FieldError("plan", "missing", _("Give at least one planned figure or one item.")))
    if errors:
        raise Incomplete(_("The plan is not filed: see what is missing."), errors)


def amend_plan(
    *, company: Company, by: Membership, at: datetime, report: WeeklyReport, values: dict[str, Decimal | None],
    reason: str, version: int | None = None,
) -> WeeklyReport:  # fmt: skip
    """Change figures of a frozen plan; both plans stay visible. 400 without a reason, 409 while the plan may still be edited."""
    with transaction.atomic():
        row = claim(company, report, version)
        filing.check_may_file(by, row)
        filing.check_open(row, at)
        if not filing.plan_is_frozen(row, at):
            raise filing.PlanNotFrozen(_("The plan is not frozen yet: simply change it."))
        if not values:
            error = FieldError(
                "plan", "missing", _("Nothing differs from the plan in force: type the new figure first.")
            )
            raise Incomplete(error.message, [error])
        _amend(row, by, at, values, reason)
        return keep(row, by, at)


def _texts(values: dict[str, Decimal | None], only) -> dict[str, str | None]:
    return {key: None if values.get(key) is None else str(values[key]) for key in only}


def _amend(
    row: WeeklyReport, by: Membership, at: datetime, values: dict[str, Decimal | None], reason: str
) -> None:  # fmt: skip
    """Put other figures over the frozen ones; the step itself stays in the journal, and the page shows all of them."""
    _check_values(row, values)
    if not reason.strip():
        error = FieldError(
            "reason", "missing", _("Say why the plan changes after its deadline: both plans stay visible.")
        )
        raise Incomplete(error.message, [error])
    lines = {line.measure: line for line in row.plan_lines.all()}
    before = {measure: line.planned for measure, line in lines.items()}
    for measure, value in values.items():
        line = lines.get(measure) or PlanLine(
            company_id=row.company_id, report=row, measure=measure, position=len(lines)
        )
        line.amended, line.amend_reason = value, reason.strip()
        lines[measure] = line
        line.save()
    after = {line.measure: line.planned for line in row.plan_lines.all()}
    audit.record(
        company=row.company, by=by, verb="amend_weekly_plan", obj=row, at=at, reason=reason,
        before=_texts(before, values), after=_texts(after, values),
    )  # fmt: skip
