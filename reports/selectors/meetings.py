"""Stand-ups: the one of a week, and those that were held."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet

from reports.models import Meeting
from roles.models import Company, Membership
from roles.permissions import Permission


def meetings(*, company: Company) -> QuerySet[Meeting]:
    """All of them, the latest week first."""
    return Meeting.objects.filter(company=company).select_related("presenter__user").order_by("-week")


def meeting_of(*, company: Company, week: date) -> Meeting:
    """The week's meeting; one that is not kept yet stands for a week that nobody has touched."""
    return meetings(company=company).filter(week=week).first() or Meeting(company=company, week=week, version=0)


def get_meeting(*, company: Company, pk: int) -> Meeting | None:
    """None when the company has none with this id."""
    return meetings(company=company).filter(pk=pk).first()


def is_early(*, company: Company, at: datetime, standup_at: datetime) -> bool:
    """Is the day of the schedule still ahead? Then whoever holds the meeting is asked first: its minutes are sealed."""
    return company.local_date(at) < company.local_date(standup_at)


@dataclass(frozen=True)
class ChannelMinutes:
    """What the minutes say of a channel; `earned` and `plan` are None for who may not see its money (`sees_money`)."""

    told: dict
    sees_money: bool
    earned: Decimal | None
    plan: Decimal | None


@dataclass(frozen=True)
class Minutes:
    """The minutes as one person may read them; money in full units of the company's currency."""

    told: dict
    channels: list[ChannelMinutes]
    sees_money: bool
    earned: Decimal | None
    plan: Decimal | None


def minutes(*, meeting: Meeting, person: Membership) -> Minutes | None:
    """None before the meeting has ended. No query."""
    told = meeting.minutes
    if told is None:
        return None
    channels = []
    for row in told["channels"]:
        sees = person.can(Permission.VIEW_MONEY, row["id"])
        channels.append(ChannelMinutes(row, sees, *_money(row, sees)))
    sees_all = person.can(Permission.VIEW_MONEY)
    return Minutes(told, channels, sees_all, *_money(told, sees_all))


def _money(told: dict, sees: bool) -> list[Decimal | None]:
    return [Decimal(told[name]) if sees and told[name] is not None else None for name in ("earned", "plan")]
