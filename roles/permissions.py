"""Who may what, on one screen. Rights come from hats: there is no second permission system.

`ROLE_PERMISSIONS` feeds the one question `person.can(permission, channel)`, the view decorator, the API's permission
class, the "who may what" page and the matrix test. No import of models: values in, values out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _


class RoleKind(StrEnum):
    """The kinds of hats; a company's own role picks one of them."""

    OWNER = "owner"
    CMO = "cmo"
    PM = "pm"
    ANALYST = "analyst"
    CHANNEL_OWNER = "channel_owner"
    CONTRACTOR = "contractor"

    @property
    def label(self):
        return {
            "owner": _("owner"),
            "cmo": _("marketing director"),
            "pm": _("project manager"),
            "analyst": _("analyst"),
            "channel_owner": _("channel owner"),
            "contractor": _("contractor"),
        }[self.value]

    @classmethod
    def choices(cls):
        return [(kind.value, kind.label) for kind in cls]


class Permission(StrEnum):
    """What a hat allows. Each is company-wide or for the channels of the appointment."""

    READ = "read"
    VIEW_MONEY = "view_money"
    DECIDE = "decide"
    APPROVE_STRATEGY = "approve_strategy"
    SET_PRIORITY = "set_priority"
    MANAGE_COMPANY = "manage_company"
    SET_CONFLICTS = "set_conflicts"
    MANAGE_KPIS = "manage_kpis"
    MANAGE_STOP_RULES = "manage_stop_rules"
    SIGN_STOP_RULES = "sign_stop_rules"
    ENTER_FACTS = "enter_facts"
    SUBMIT_REPORT = "submit_report"
    REVIEW_REPORT = "review_report"
    KEEP_ACCESSES = "keep_accesses"
    DO_TASKS = "do_tasks"

    @property
    def label(self):
        return {
            "read": _("read everything but money"),
            "view_money": _("see money"),
            "decide": _("sign stop and continue decisions"),
            "approve_strategy": _("approve the strategy"),
            "set_priority": _("set the priority of channels"),
            "manage_company": _("manage channels, people, roles and tokens"),
            "set_conflicts": _("say which duties must not meet in one person"),
            "manage_kpis": _("manage KPIs and targets"),
            "manage_stop_rules": _("write stop-rules"),
            "sign_stop_rules": _("put a channel owner's stop-rule in force"),
            "enter_facts": _("load and type figures"),
            "submit_report": _("file the plan and the fact of the week"),
            "review_report": _("accept and return weekly reports"),
            "keep_accesses": _("see and check accesses, keep documents"),
            "do_tasks": _("see and do own tasks"),
        }[self.value]


class Reach(StrEnum):
    """How far a permission goes."""

    COMPANY = "company"
    CHANNELS = "channels"


_P, _C, _K = Permission, Reach.COMPANY, Reach.CHANNELS

ROLE_PERMISSIONS: dict[RoleKind, dict[Permission, Reach]] = {
    RoleKind.OWNER: {
        _P.READ: _C, _P.VIEW_MONEY: _C, _P.APPROVE_STRATEGY: _C, _P.MANAGE_COMPANY: _C,
        _P.SET_CONFLICTS: _C, _P.MANAGE_KPIS: _C, _P.MANAGE_STOP_RULES: _C, _P.ENTER_FACTS: _C,
        _P.KEEP_ACCESSES: _C, _P.DO_TASKS: _C,
    },
    RoleKind.CMO: {
        _P.READ: _C, _P.VIEW_MONEY: _C, _P.DECIDE: _C, _P.SET_PRIORITY: _C, _P.MANAGE_KPIS: _C,
        _P.MANAGE_STOP_RULES: _C, _P.SIGN_STOP_RULES: _C, _P.REVIEW_REPORT: _C,
        _P.KEEP_ACCESSES: _C, _P.DO_TASKS: _C,
    },
    RoleKind.PM: {
        _P.READ: _C, _P.VIEW_MONEY: _C, _P.MANAGE_COMPANY: _C, _P.SUBMIT_REPORT: _C, _P.KEEP_ACCESSES: _C,
        _P.DO_TASKS: _C,
    },
    RoleKind.ANALYST: {
        _P.READ: _C, _P.VIEW_MONEY: _C, _P.MANAGE_KPIS: _C, _P.MANAGE_STOP_RULES: _C, _P.ENTER_FACTS: _C,
        _P.DO_TASKS: _C,
    },
    RoleKind.CHANNEL_OWNER: {
        _P.READ: _C, _P.VIEW_MONEY: _K, _P.MANAGE_STOP_RULES: _K, _P.SUBMIT_REPORT: _K, _P.KEEP_ACCESSES: _K,
        _P.DO_TASKS: _C,
    },
    RoleKind.CONTRACTOR: {_P.DO_TASKS: _C},
}  # fmt: skip


@dataclass(frozen=True)
class Hat:
    """One appointment as it counts today. `acting`: worn for somebody who is away, or who left and has no successor yet."""

    kind: RoleKind
    role_id: int
    channel_id: int | None = None
    acting: bool = False


def allowed(hats: Iterable[Hat], permission: Permission, channel_id: int | None = None) -> bool:
    """Does any of the hats allow it? Without a channel only company-wide rights count."""
    for hat in hats:
        reach = ROLE_PERMISSIONS[hat.kind].get(permission)
        if reach is Reach.COMPANY:
            return True
        if reach is Reach.CHANNELS and channel_id is not None and hat.channel_id == channel_id:
            return True
    return False


def allowed_somewhere(hats: Iterable[Hat], permission: Permission) -> bool:
    """Does any hat allow it for at least one channel? Opens a page; each object on it is then asked about by itself."""
    return any(permission in ROLE_PERMISSIONS[hat.kind] for hat in hats)


def requires(permission: Permission, somewhere: bool = False) -> Callable:
    """View decorator: 403 for a member without the right. `somewhere`: a right on one channel opens the page.

    The permission stays readable on the view, so that a test can list every view without one.
    """

    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            hats = request.person.hats
            if not (allowed_somewhere(hats, permission) if somewhere else allowed(hats, permission)):
                raise PermissionDenied(permission.label)
            return view(request, *args, **kwargs)

        guarded.permission = permission
        guarded.somewhere = somewhere
        return guarded

    return decorate
