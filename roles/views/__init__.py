"""Pages of `roles/`, a module per noun: roles, people, hats, channels, company, tokens."""

from django.utils import timezone

from roles.permissions import Permission


def acting(request) -> dict:
    """Who acts where and when: the first arguments of every service."""
    return {"company": request.company, "by": request.person, "at": timezone.now()}


def today(request):
    """The company's calendar day."""
    return request.company.local_date(timezone.now())


def rights(request) -> dict:
    """What the templates ask before they show a button."""
    return {
        "manages": request.person.can(Permission.MANAGE_COMPANY),
        "sets_priority": request.person.can(Permission.SET_PRIORITY),
        "sees_risks": request.person.can(Permission.VIEW_MONEY),
    }
