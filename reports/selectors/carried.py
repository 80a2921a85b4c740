"""Actions that were moved three times: they wait for a choice at the stand-up and on the week's summary."""

from django.db.models import QuerySet

from processes.models import Action
from processes.services import MOST_CARRIES
from roles.models import Company


def stuck_actions(*, company: Company) -> QuerySet[Action]:
    """Open actions that cannot simply be moved once more; the most moved first."""
    found = Action.objects.filter(company=company, state=Action.State.OPEN, carried__gte=MOST_CARRIES)
    return found.select_related("owner__user", "channel").order_by("-carried", "due_on", "pk")


def get_action(*, company: Company, pk: int) -> Action | None:
    """One action with its people, stuck or not; None when the company has none with this id."""
    return Action.objects.filter(company=company, pk=pk).select_related("owner__user", "channel").first()
