"""The life of a brief: written, sent, taken or returned, delivered, accepted by its criteria or sent back."""

from datetime import date, datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from processes import briefs
from processes.models import Brief
from roles import audit, formats
from roles.models import Channel, Company, Contractor, Membership
from roles.refusals import Conflict, Forbidden
from roles.validation import changes, check_fields, refuse

State = Brief.State
MOST_CRITERIA = 20
FIELDS = ("title", "text", "criteria", "due_on", "channel")


class NotYours(Forbidden):
    code = "not_yours"


class WrongState(Conflict):
    code = "wrong_state"


class NobodyThere(Conflict):
    code = "nobody_there"


@transaction.atomic
def create_brief(
    *, company: Company, by: Membership, at: datetime, contractor: Contractor, title: str, text: str, criteria: list[str],
    due_on: date, channel: Channel | None = None,
) -> Brief:  # fmt: skip
    """Write a draft. `criteria`: by what the work will be accepted, one sentence each.

    Raises Refused with the fields (outside the contract's channels or days among them), NotYours.
    """
    if not briefs.may_run(person=by, contractor=contractor, channel=channel):
        raise NotYours(
            _("Briefs for this contractor are given by who answers for it, the channel's owner or the manager.")
        )
    brief = Brief(
        company=company, contractor=contractor, channel=channel, title=title.strip(), text=text.strip(),
        criteria=_unmet(criteria), due_on=due_on, author=by, created_at=at, changed_at=at,
    )  # fmt: skip
    _check(brief, company.local_date(at))
    brief.save()
    after = {"name": brief.title, "owner_name": str(contractor), "due_on": due_on.isoformat()}
    audit.record(company=company, by=by, verb="create_brief", obj=brief, at=at, after=after)
    return brief


@transaction.atomic
def update_brief(*, company: Company, by: Membership, at: datetime, brief: Brief, **fields) -> Brief:
    """Change a draft, or a brief that came back with a question; fields not given stay. Raises what `create_brief` raises, WrongState."""
    locked = _step(company, by, brief, "edit")
    if "criteria" in fields:
        fields["criteria"] = _unmet(fields["criteria"])
    before, after = changes({name: getattr(locked, name) for name in fields}, fields)
    for name, value in fields.items():
        setattr(locked, name, value)
    if not briefs.may_run(person=by, contractor=locked.contractor, channel=locked.channel):
        raise NotYours(_("You give briefs for your own channels."))
    _check(locked, company.local_date(at))
    if after:
        _write(locked, at, *after)
        told = {"name": locked.title}
        audit.record(
            company=company, by=by, verb="update_brief", obj=locked, at=at, before=told | before, after=told | after
        )
    return locked


@transaction.atomic
def send_brief(*, company: Company, by: Membership, at: datetime, brief: Brief) -> Brief:
    """Send it to the contractor's people: from now on text and criteria stay. Raises NotYours, WrongState, NobodyThere."""
    locked = _step(company, by, brief, "send")
    today = company.local_date(at)
    _check(locked, today)
    if not locked.contractor.is_in_force(today) or not locked.contractor.people.filter(is_active=True).exists():
        raise NobodyThere(
            _("Nobody would read it: let a person of the contractor in first, within the contract's days.")
        )
    return _move(locked, by, at, "send_brief", State.SENT, sent_at=at, reason="")


@transaction.atomic
def take_brief(*, company: Company, by: Membership, at: datetime, brief: Brief) -> Brief:
    """The contractor takes it to work. Raises NotYours, WrongState."""
    locked = _step(company, by, brief, "take")
    return _move(locked, by, at, "take_brief", State.ACCEPTED, accepted_by=by)


@transaction.atomic
def return_brief(*, company: Company, by: Membership, at: datetime, brief: Brief, reason: str) -> Brief:
    """The contractor sends it back with what is missing or cannot be done. Raises Refused without a reason, NotYours, WrongState."""
    locked = _step(company, by, brief, "return_brief")
    return _move(locked, by, at, "return_brief", State.RETURNED, reason=_needed(reason))


@transaction.atomic
def deliver_brief(
    *, company: Company, by: Membership, at: datetime, brief: Brief, delivery_url: str = "", delivery_text: str = ""
) -> Brief:
    """Hand the work in: a link, words, or both. Raises Refused with the field, NotYours, WrongState."""
    locked = _step(company, by, brief, "deliver")
    url, text = delivery_url.strip(), delivery_text.strip()
    if not url and not text:
        raise refuse("delivery_url", "required", _("Give a link to the result or say what was done."))
    if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
        raise refuse("delivery_url", "scheme", _("Write the whole address: it begins with https:// or http://."))
    locked.delivery_url = url
    check_fields(locked, exclude=tuple(f.name for f in Brief._meta.fields if f.name != "delivery_url"))
    fields = {"delivery_url": url, "delivery_text": text, "delivered_by": by, "delivered_at": at}
    return _move(locked, by, at, "deliver_brief", State.DELIVERED, **fields)


@transaction.atomic
def accept_work(*, company: Company, by: Membership, at: datetime, brief: Brief, met: list[int]) -> Brief:
    """Accept what was delivered: every criterion is met. `met`: their places, from 0. The author of the work never accepts it.

    Raises Refused naming what is not ticked, NotYours, WrongState.
    """
    locked = _step(company, by, brief, "accept_work")
    _check_not_own(locked, by)
    missing = [row["text"] for place, row in enumerate(locked.criteria) if place not in met]
    if missing:
        message = _("Not ticked: %(names)s. Tick it if it is met, or return the work with a reason.")
        raise refuse("met", "unmet", message % {"names": "; ".join(missing)})
    criteria = [row | {"met": True} for row in locked.criteria]
    return _move(locked, by, at, "accept_work", State.DONE, criteria=criteria, judged_by=by, judged_at=at, reason="")


@transaction.atomic
def return_work(*, company: Company, by: Membership, at: datetime, brief: Brief, reason: str) -> Brief:
    """Send the work back: what is not met, in words. Raises Refused without a reason, NotYours, WrongState."""
    locked = _step(company, by, brief, "return_work")
    _check_not_own(locked, by)
    fields = {"reason": _needed(reason), "returns": locked.returns + 1}
    return _move(locked, by, at, "return_work", State.REWORK, **fields)


@transaction.atomic
def cancel_brief(*, company: Company, by: Membership, at: datetime, brief: Brief, reason: str) -> Brief:
    """It is not needed any more. Raises Refused without a reason, NotYours, WrongState."""
    locked = _step(company, by, brief, "cancel")
    return _move(locked, by, at, "cancel_brief", State.CANCELLED, reason=_needed(reason))


def _step(company: Company, by: Membership, brief: Brief, step: str) -> Brief:
    """The brief read for writing, if this person may take this step with it as it stands."""
    Brief.objects.select_for_update().get(company=company, pk=brief.pk)
    locked = briefs.get_brief(company=company, pk=brief.pk)
    rights = briefs.rights_of(person=by, brief=locked)
    ours, states = briefs.STEPS[step]
    if not (rights.runs if ours else rights.answers):
        raise NotYours(
            _("This step is the company's: who answers for the contractor takes it.") if ours
            else _("This step is the contractor's: a person let in by the contract takes it.")
        )  # fmt: skip
    if locked.state not in states:
        raise WrongState(
            _("The brief is already “%(state)s”: look at it again.") % {"state": locked.get_state_display()}
        )
    return locked


def _move(brief: Brief, by: Membership, at: datetime, verb: str, state: str, **fields) -> Brief:
    before = {"name": brief.title, "state": brief.state}
    brief.state = state
    for name, value in fields.items():
        setattr(brief, name, value)
    _write(brief, at, "state", *fields)
    audit.record(
        company=brief.company, by=by, verb=verb, obj=brief, at=at, reason=fields.get("reason", ""), before=before,
        after={"name": brief.title, "state": str(state)},
    )  # fmt: skip
    return brief


def _write(brief: Brief, at: datetime, *names: str) -> None:
    brief.changed_at = at
    brief.save(update_fields=[*names, "changed_at"])


def _check_not_own(brief: Brief, by: Membership) -> None:
    if by.pk == brief.delivered_by_id:
        raise NotYours(_("Nobody accepts their own work: somebody else of the company judges it."))


def _needed(reason: str) -> str:
    if not reason.strip():
        raise refuse("reason", "required", _("Say why: without a reason nobody knows what to change."))
    return reason.strip()


def _unmet(criteria: list[str]) -> list[dict]:
    return [{"text": text.strip()[:300], "met": False} for text in criteria if text.strip()]


def _check(brief: Brief, today: date) -> None:
    check_fields(brief, exclude=("criteria",))
    contractor = brief.contractor
    if not 1 <= len(brief.criteria) <= MOST_CRITERIA:
        message = _("Name by what the work will be accepted: one criterion at least, %(most)s at most.")
        raise refuse("criteria", "required", message % {"most": MOST_CRITERIA})
    if brief.due_on < today:
        raise refuse("due_on", "past", _("This date is past: give today or a later day."))
    if not contractor.starts_on <= brief.due_on <= contractor.ends_on:
        message = _("The contract lasts %(days)s: choose a day within it.")
        days = formats.days(contractor.starts_on, contractor.ends_on)
        raise refuse("due_on", "outside_contract", message % {"days": days})
    covered = list(contractor.channels.all())
    if covered and brief.channel not in covered:
        message = _("The contract covers: %(names)s. Choose one of these channels.")
        raise refuse("channel", "outside_contract", message % {"names": ", ".join(row.name for row in covered)})
