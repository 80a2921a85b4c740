"""What is wrong with an access, a document or a contract, and what to do about it. Pure: rows in, flags out."""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from roles.models import Access, Contractor, DocumentLink, Membership
from roles.places import Place, is_personal_address, place_of

CHECK_EVERY = timedelta(days=92)
"""A quarter, the longest one."""
ENOUGH_ADMINISTRATORS = 2


class Flag(StrEnum):
    """A reason for a task. `label` stands beside the row, `task` is what is to be done about it."""

    OWNED_BY_PERSON = "owned_by_person"
    SINGLE_ADMINISTRATOR = "single_administrator"
    CONTRACTOR_PAST_END = "contractor_past_end"
    UNCHECKED = "unchecked"
    PERSONAL_RECOVERY = "personal_recovery"
    NO_TWO_FACTOR = "no_two_factor"
    PERSONAL_PLACE = "personal_place"
    CONTRACT_ENDED = "contract_ended"

    @property
    def label(self):
        return LABELS[self]

    @property
    def task(self):
        return TASKS[self]

    @property
    def is_grave(self) -> bool:
        """Could the business lose the account by it? Drawn as a stop, and due sooner."""
        return self in GRAVE

    @property
    def is_managers(self) -> bool:
        """Is it the project manager's to put right, or the channel owner's?"""
        return self in MANAGERS


LABELS = {
    Flag.OWNED_BY_PERSON: _("owned by a person"),
    Flag.SINGLE_ADMINISTRATOR: _("fewer than two administrators"),
    Flag.CONTRACTOR_PAST_END: _("the contractor's time is over"),
    Flag.UNCHECKED: _("not checked for a quarter"),
    Flag.PERSONAL_RECOVERY: _("recovery at a personal address"),
    Flag.NO_TWO_FACTOR: _("no two-factor"),
    Flag.PERSONAL_PLACE: _("a personal place"),
    Flag.CONTRACT_ENDED: _("the contract has ended"),
}
TASKS = {
    Flag.OWNED_BY_PERSON: _("Make the account the company's: %(what)s"),
    Flag.SINGLE_ADMINISTRATOR: _("Add a second administrator: %(what)s"),
    Flag.CONTRACTOR_PAST_END: _("Take the contractor's access away: %(what)s"),
    Flag.UNCHECKED: _("Check that the access works and who has it: %(what)s"),
    Flag.PERSONAL_RECOVERY: _("Move the recovery to an address of the company: %(what)s"),
    Flag.NO_TWO_FACTOR: _("Switch two-factor on or note that it is on: %(what)s"),
    Flag.PERSONAL_PLACE: _("Move the document to a place of the company: %(what)s"),
    Flag.CONTRACT_ENDED: _("Take back results and accesses, then close the contract: %(what)s"),
}
GRAVE = frozenset({Flag.OWNED_BY_PERSON, Flag.CONTRACTOR_PAST_END, Flag.CONTRACT_ENDED})
MANAGERS = frozenset({
    Flag.OWNED_BY_PERSON, Flag.SINGLE_ADMINISTRATOR, Flag.CONTRACTOR_PAST_END, Flag.CONTRACT_ENDED,
})  # fmt: skip


def access_flags(access: Access, administrators: Iterable[Membership], today: date) -> list[Flag]:
    """What is wrong with an access on a day, the gravest first; nothing of one that is closed."""
    if access.closed_on is not None:
        return []
    checked = access.checked_on or access.registered_on
    wrong = {
        Flag.OWNED_BY_PERSON: access.owned_by == Access.OwnedBy.PERSON,
        Flag.CONTRACTOR_PAST_END: _contractor_is_past(access, today),
        Flag.SINGLE_ADMINISTRATOR: sum(person.is_active for person in administrators) < ENOUGH_ADMINISTRATORS,
        Flag.PERSONAL_RECOVERY: is_personal_address(access.recovery),
        Flag.NO_TWO_FACTOR: access.two_factor is not True,
        Flag.UNCHECKED: today - checked >= CHECK_EVERY,
    }
    return [flag for flag, stands in wrong.items() if stands]


def document_flags(document: DocumentLink) -> list[Flag]:
    """A messenger and a personal drive are never the business's; of other drives somebody may have said so."""
    place = place_of(document.url)
    personal = place is Place.PERSONAL or (place is Place.MAY_BE_PERSONAL and not document.place_is_ours)
    return [Flag.PERSONAL_PLACE] if personal else []


def contractor_flags(contractor: Contractor, today: date) -> list[Flag]:
    """A contract that is over and whose accesses and results nobody has said to be back."""
    over = contractor.ended_on is not None or contractor.is_past(today)
    return [Flag.CONTRACT_ENDED] if over and contractor.closed_on is None else []


def _contractor_is_past(access: Access, today: date) -> bool:
    if access.contractor_id is None:
        return False
    contractor = access.contractor
    if access.contractor_until is not None and access.contractor_until < today:
        return True
    return contractor.ended_on is not None or contractor.is_past(today)
