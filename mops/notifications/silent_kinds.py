"""What is told when a question ends without an answer: its rule fires no more, or somebody took it back."""

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from kpis.models import Breach
from mops.notifications.kinds import Item, Kind, page, with_reason
from mops.notifications.recipients import unique
from processes import deciders
from processes.deciders import Around
from processes.models import Decision
from roles.models import Company, Membership
from roles.permissions import RoleKind


def _decisions(company: Company) -> QuerySet:
    rows = Decision.objects.filter(company=company)
    return rows.select_related("company", "channel__owner__user", "signed_by__user")


def _breaches(company: Company) -> QuerySet:
    """Breaches with the questions about them that nobody has answered, as `asked`."""
    asked = Prefetch("decisions", _decisions(company).filter(state__in=Decision.UNDECIDED), to_attr="asked")
    return Breach.objects.filter(company=company).prefetch_related(asked)


def _asked(around: Around, item: Item) -> list[Membership]:
    """Whoever may sign the question that fires no more; nobody where it was answered or never asked."""
    return unique(person for row in item.obj.asked for person in deciders.deciders(decision=row, people=around))


def _of_withdrawn(around: Around, item: Item) -> list[Membership]:
    """The director and the channel's owner, of what a person took back; what gives way to a newer question is told by that."""
    return unique([*around.wearers(RoleKind.CMO), item.obj.channel.owner]) if item.event.by_id else []


def _silent(items: list[Item]) -> tuple[str, str]:
    decision = items[0].obj.asked[0]
    title = _("The rule no longer fires. %(question)s") % {"question": decision.question}
    return title, _("%(number)s still waits: read what has changed, then sign or withdraw it.") % {"number": decision}


def _withdrawn(items: list[Item]) -> tuple[str, str]:
    event, decision = items[0].event, items[0].obj
    text = _("%(number)s, withdrawn by %(person)s.") % {"number": decision, "person": event.by}
    return _("Withdrawn. %(question)s") % {"question": decision.question}, with_reason(text, event)


def _asked_page(slug: str, items: list[Item]) -> str:
    return reverse("processes:decision-detail", args=[slug, items[0].obj.asked[0].pk])


SILENT_KINDS = {
    "close_breach": Kind(_breaches, _asked, _silent, _asked_page),
    "withdraw_decision": Kind(_decisions, _of_withdrawn, _withdrawn, page("processes:decision-detail")),
}
