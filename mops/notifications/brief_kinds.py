"""What is told about briefs: the contractor's people of what we do, who gave the brief of what they do."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from mops.notifications.kinds import Item, Kind, Words, page, with_reason
from mops.notifications.recipients import unique
from processes.deciders import Around
from processes.models import Brief
from roles import formats
from roles.models import Company, Membership


def _briefs(company: Company) -> QuerySet:
    rows = Brief.objects.filter(company=company).select_related("author__user", "contractor__responsible__user")
    return rows.prefetch_related("contractor__people__user")


def _contractors_people(around: Around, item: Item) -> list[Membership]:
    return unique(item.obj.contractor.people.all())


def _briefs_side(around: Around, item: Item) -> list[Membership]:
    """Who wrote the brief and who answers for the contractor."""
    return unique([item.obj.author, item.obj.contractor.responsible])


def _brief(title: str) -> Words:
    """A sentence about one brief, its day and the reason under it."""

    def words(items: list[Item]) -> tuple[str, str]:
        brief = items[0].obj
        text = _("%(contractor)s, by %(day)s.") % {"contractor": brief.contractor, "day": formats.day(brief.due_on)}
        return _(title) % {"title": brief.title}, with_reason(text, items[0].event)

    return words


_page = page("processes:brief-detail")

BRIEF_KINDS: dict[str, Kind] = {
    "send_brief": Kind(_briefs, _contractors_people, _brief(gettext_noop("A brief for you: %(title)s")), _page),
    "take_brief": Kind(_briefs, _briefs_side, _brief(gettext_noop("The contractor took the brief to work: %(title)s")), _page),
    "return_brief": Kind(_briefs, _briefs_side, _brief(gettext_noop("The contractor returned the brief: %(title)s")), _page),
    "deliver_brief": Kind(_briefs, _briefs_side, _brief(gettext_noop("Delivered, waits for acceptance: %(title)s")), _page),
    "accept_work": Kind(_briefs, _contractors_people, _brief(gettext_noop("Your work is accepted: %(title)s")), _page),
    "return_work": Kind(_briefs, _contractors_people, _brief(gettext_noop("Your work came back: %(title)s")), _page),
    "cancel_brief": Kind(_briefs, _contractors_people, _brief(gettext_noop("The brief is cancelled: %(title)s")), _page),
}  # fmt: skip
