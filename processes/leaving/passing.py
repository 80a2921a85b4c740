"""Giving one handed-over thing to one person, by the service that thing has anyway. No rights are asked: the plan did."""

from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from kpis.models import Source, StopRule
from kpis.services.sources import update_source
from kpis.services.stop_rules import hand_over_rule
from processes.carried import hand_over_action
from processes.models import Action, HandoverItem
from roles import selectors
from roles.models import Access, Appointment, Channel, Contractor, DocumentLink, ExternalCheck, Membership
from roles.services import accesses, channels, conflicts, contractors, documents, hats
from roles.services.conflicts import CheckTerms

Kind = HandoverItem.Kind


def give(*, item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    """Make `to` the owner of the thing from today on. Raises what the thing's own service refuses."""
    GIVE[item.kind](item, to, at, today)


def _why(item: HandoverItem) -> str:
    return _("Handed over: %(person)s leaves") % {"person": item.handover.person}


def _give_hat(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    worn = selectors.appointments_in_force(company=item.company, on=today)
    if worn.filter(role=item.role_id, channel=item.channel_id, person=to, interim=False).exists():
        return
    hats.appoint(
        company=item.company, by=None, at=at, today=today, role=item.role, person=to, channel=item.channel,
        hours_per_week=_hours(item), reason=_why(item),
    )  # fmt: skip


def _hours(item: HandoverItem) -> int | None:
    """Hours of the hat as it was; None once the appointment is taken out."""
    found = Appointment.objects.filter(company=item.company, pk=item.object_id)
    return found.values_list("hours_per_week", flat=True).first()


def _give_coordination(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    channel = Channel.objects.get(company=item.company, pk=item.object_id)
    channels.update_channel(
        company=item.company, by=None, at=at, today=today, channel=channel, coordinator=to, reason=_why(item)
    )


def _give_deputy(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    row = selectors.get_appointment(company=item.company, pk=item.object_id)
    if row is None or (row.ends_on and row.ends_on < today):
        return
    hats.update_appointment(
        company=item.company, by=None, at=at, today=today, appointment=row, deputy=to, hours_per_week=row.hours_per_week
    )


def _give_check(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    check = ExternalCheck.objects.select_related("person__user", "pair").get(company=item.company, pk=item.object_id)
    if check.until < today or not check.person.is_active:
        return
    until = min(check.until, today + timedelta(days=90))
    conflicts.name_check(
        company=item.company, by=None, at=at, today=today, person=check.person, pair=check.pair,
        terms=CheckTerms(to, check.what, check.cadence, until), takes_over=check,
    )  # fmt: skip


def _give_rule(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    rule = StopRule.objects.get(company=item.company, pk=item.object_id)
    held = rule.versions.filter(superseded_at=None).select_related("owner__user").first()
    if held is not None:
        hand_over_rule(company=item.company, by=None, at=at, rule=rule, former=held.owner, owner=to, reason=_why(item))


def _give_source(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    source = Source.objects.filter(company=item.company, pk=item.object_id).first()
    if source is None:
        return
    update_source(
        company=item.company, by=None, at=at, source=source, name=source.name, owner=to, priority=source.priority,
        expected_every_days=source.expected_every_days, reason=_why(item),
    )  # fmt: skip


def _give_action(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    action = Action.objects.select_related("owner__user").get(company=item.company, pk=item.object_id)
    if action.state == Action.State.OPEN and action.owner_id != to.pk:
        hand_over_action(
            company=item.company, by=None, at=at, action=action, owner=to, due_on=max(action.due_on, today),
            reason=_why(item),
        )  # fmt: skip


def _give_access(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    """The successor administers it instead of who leaves; whose it is in law stays as the registry says."""
    access = Access.objects.get(company=item.company, pk=item.object_id)
    if access.closed_on is None:
        left = access.administrators.exclude(pk__in=[item.handover.person_id, to.pk])
        accesses.update_access(
            company=item.company, by=None, at=at, access=access, administrators=[*left, to], reason=_why(item)
        )


def _give_document(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    document = DocumentLink.objects.filter(company=item.company, pk=item.object_id).first()
    if document is not None:
        documents.update_document(company=item.company, by=None, at=at, document=document, owner=to)


def _give_contractor(item: HandoverItem, to: Membership, at: datetime, today: date) -> None:
    """Who was the deputy and answers for the firm now deputises it no more."""
    contractor = Contractor.objects.get(company=item.company, pk=item.object_id)
    if contractor.closed_on is None:
        deputy = {"deputy": None} if contractor.deputy_id == to.pk else {}
        contractors.update_contractor(
            company=item.company, by=None, at=at, today=today, contractor=contractor, responsible=to, reason=_why(item),
            **deputy,
        )  # fmt: skip


GIVE = {
    Kind.HAT: _give_hat,
    Kind.COORDINATION: _give_coordination,
    Kind.DEPUTY: _give_deputy,
    Kind.CHECK: _give_check,
    Kind.RULE: _give_rule,
    Kind.SOURCE: _give_source,
    Kind.ACTION: _give_action,
    Kind.ACCESS: _give_access,
    Kind.DOCUMENT: _give_document,
    Kind.CONTRACTOR: _give_contractor,
}
