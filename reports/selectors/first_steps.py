"""The way from an empty company to the first picture: what is done, and where each step is made."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from kpis.models import DailyFact, StopRule, Target
from roles import selectors as roles_selectors
from roles.models import Company, Membership
from roles.permissions import Permission


@dataclass(frozen=True)
class Step:
    """`url` is empty where this person may not make the step."""

    title: str
    why: str
    url: str
    done: bool


def first_steps(*, company: Company, person: Membership) -> list[Step]:
    """Channels, facts, targets, stop-rules, in this order."""
    asked = [
        (
            "roles:channel-create", Permission.MANAGE_COMPANY, roles_selectors.channels(company=company).exists(),
            _("Write down the channels"), _("Each with an owner who answers for it"),
        ),
        (
            "kpis:import-create", Permission.ENTER_FACTS, DailyFact.objects.filter(company=company).exists(),
            _("Load the figures"), _("A file, the API, or a day typed by hand: spend, leads, deals, revenue, gross profit"),
        ),
        (
            "kpis:target-list", Permission.MANAGE_KPIS, Target.objects.filter(company=company).exists(),
            _("Set the plan of the month"), _("Without it there is nothing to compare with"),
        ),
        (
            "kpis:stop-rule-list", Permission.MANAGE_STOP_RULES, StopRule.objects.filter(company=company).exists(),
            _("Agree on stop-rules"), _("When a channel is stopped is decided before the money is gone"),
        ),
    ]  # fmt: skip
    return [
        Step(title, why, reverse(name, args=[company.slug]) if person.can(permission) else "", done)
        for name, permission, done, title, why in asked
    ]
