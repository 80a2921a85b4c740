"""Reads of contractors: who works for the company by which contract, and what they may therefore see."""

from datetime import date

from django.db.models import Q, QuerySet
from django.utils import timezone

from roles.models import Company, Contractor, Membership


def contractors(*, company: Company) -> QuerySet[Contractor]:
    """Contracts with their channels, people and who answers for them; those in force first, the soonest end first."""
    found = Contractor.objects.filter(company=company).select_related("responsible__user", "deputy__user")
    return found.prefetch_related("channels", "people__user", "accesses").order_by("closed_on", "ends_on", "name")


def get_contractor(*, company: Company, pk: int) -> Contractor | None:
    return contractors(company=company).filter(pk=pk).first()


def open_contractors(*, company: Company, on: date) -> QuerySet[Contractor]:
    """Contracts that last on a day or begin later: whom work may be given to."""
    return contractors(company=company).filter(closed_on=None, ended_on=None, ends_on__gte=on)


def contracts_of(*, person: Membership, on: date | None = None, coming: bool = False) -> list[Contractor]:
    """The contracts that a person of a contractor's works by on a day (today when not given); `coming`: those that begin later too.

    This is all that limits what such a person sees, so it asks the rows and not the hat.
    """
    day = on or person.company.local_date(timezone.now())
    begun = Q() if coming else Q(starts_on__lte=day)
    found = Contractor.objects.filter(
        begun, company=person.company_id, people=person, ended_on=None, closed_on=None, ends_on__gte=day
    )
    return list(found)
