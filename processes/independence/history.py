"""The index from day to day."""

from datetime import date, datetime

from django.db.models import QuerySet

from processes.independence.index import Index, index_of, without_each
from processes.leaving.house import open_house
from processes.models import IndexSnapshot
from roles.models import Company


def keep_index(*, company: Company, day: date, at: datetime) -> IndexSnapshot:
    """Keep the index of a local day, once: the daily pipeline calls it, a second call changes nothing."""
    kept = IndexSnapshot.objects.filter(company=company, day=day).first()
    if kept is not None:
        return kept
    house = open_house(company=company, on=day, at=at, money=False)
    found = index_of(house)
    told = {"value": found.value, "parts": parts_told(found), "without": without_each(house)}
    return IndexSnapshot.objects.get_or_create(company=company, day=day, defaults=told)[0]


def parts_told(found: Index) -> list[dict]:
    """The parts as a snapshot and the API tell them."""
    return [{"code": str(row.part), "share": f"{row.share:.4f}", "weight": f"{row.weight:.2f}"} for row in found.parts]


def history(*, company: Company, since: date) -> QuerySet[IndexSnapshot]:
    """Kept days since a day, oldest first."""
    return IndexSnapshot.objects.filter(company=company, day__gte=since).order_by("day")


def before(*, company: Company, day: date) -> IndexSnapshot | None:
    """The last index kept on a day or before it."""
    return IndexSnapshot.objects.filter(company=company, day__lte=day).order_by("-day").first()
