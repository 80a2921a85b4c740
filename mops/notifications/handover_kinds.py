"""What is told about departures: successors of what they are asked to take, managers of a no and of what is left on the day."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mops.notifications.kinds import Item, Kind, Where, page, with_reason
from mops.notifications.recipients import unique
from processes.deciders import Around
from processes.leaving import plans
from roles import formats
from roles.models import Company, Membership
from roles.permissions import RoleKind


def _handovers(company: Company) -> QuerySet:
    return plans.handovers(company=company)


def _items(company: Company) -> QuerySet:
    return plans.items(company=company)


def _everybody_asked(around: Around, item: Item) -> list[Membership]:
    """Successors of the first plan who have not answered yet; whoever was named later is told of that by itself."""
    if not item.obj.is_unfinished:
        return []
    return unique(
        row.successor for row in item.obj.items.all() if row.state in row.LEFT_TO_DO and row.named_by_id is None
    )


def _the_asked_one(around: Around, item: Item) -> list[Membership]:
    return unique([item.obj.successor]) if item.obj.handover.is_unfinished else []


def _who_names_another(around: Around, item: Item) -> list[Membership]:
    """The managers, unless another successor is named by now."""
    return _managers(around, item) if item.obj.state == item.obj.State.DECLINED else []


def _managers(around: Around, item: Item) -> list[Membership]:
    return unique(around.wearers(RoleKind.OWNER, RoleKind.PM))


def _asked(items: list[Item]) -> tuple[str, str]:
    handover = items[0].obj
    title = _("%(person)s leaves: you are asked to take something over") % {"person": handover.person}
    return title, _("The last day is %(day)s. Say of each thing whether you take it.") % {
        "day": formats.day(handover.last_day)
    }


def _asked_instead(items: list[Item]) -> tuple[str, str]:
    """Everything that one act asks of a person, in one message."""
    first = items[0].obj
    title = ngettext(
        "%(person)s leaves: you are asked to take over %(n)s thing",
        "%(person)s leaves: you are asked to take over %(n)s things", len(items),
    ) % {"person": first.handover.person, "n": len(items)}  # fmt: skip
    return title, "\n".join(item.obj.label for item in items)


def _declined(items: list[Item]) -> tuple[str, str]:
    item = items[0].obj
    title = _("Not taken over: %(name)s. Name another successor") % {"name": item.label}
    return title, with_reason(_("%(person)s leaves.") % {"person": item.handover.person}, items[0].event)


def _left(items: list[Item]) -> tuple[str, str]:
    handover = items[0].obj
    title = _("The day has come, not everything is handed over: %(person)s") % {"person": handover.person}
    left = [row.label for row in handover.items.all() if row.state not in row.SETTLED]
    return title, with_reason("; ".join(left), items[0].event)


_plan = page("processes:handover-detail")


def _plan_of_item(slug: str, items: list[Item]) -> str:
    return _plan(slug, [Item(items[0].event, items[0].obj.handover)])


def handover_kinds(mine: Where) -> dict[str, Kind]:
    """`mine`: the page where a successor answers."""
    return {
        "start_handover": Kind(_handovers, _everybody_asked, _asked, mine),
        "name_successor": Kind(_items, _the_asked_one, _asked_instead, mine, together=True),
        "decline_handover_item": Kind(_items, _who_names_another, _declined, _plan_of_item),
        "leave_with_rest": Kind(_handovers, _managers, _left, _plan),
    }
