"""What the hats say: installing the built-in ones, adding own ones, revising them with a reason."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from roles import audit, catalogue
from roles.models import Company, Membership, Role, RoleVersion
from roles.permissions import RoleKind
from roles.refusals import Conflict, FieldError
from roles.validation import changes, check_fields, refuse

TEXTS = ("name_ru", "name_en", "mission_ru", "mission_en", "duties", "kpis")
CADENCES = ("day", "week", "month", "quarter")


class RoleExists(Conflict):
    code = "role_exists"


def install_builtin_roles(*, company: Company, at: datetime, today: date) -> list[Role]:
    """The built-in hats a company lacks, each with its first version; doing it twice adds nothing."""
    known = set(Role.objects.filter(company=company).values_list("code", flat=True))
    fresh = [built_in for built_in in catalogue.BUILT_IN if built_in.code not in known]
    roles = Role.objects.bulk_create(
        Role(company=company, code=built_in.code, kind=built_in.kind, is_builtin=True) for built_in in fresh
    )
    RoleVersion.objects.bulk_create(
        RoleVersion(
            company=company, role=role, name_ru=built_in.name_ru, name_en=built_in.name_en,
            mission_ru=built_in.mission_ru, mission_en=built_in.mission_en, kpis=list(built_in.kpis),
            duties=[duty.as_json() for duty in built_in.duties], valid_from=today, reason="built_in", created_at=at,
        )
        for role, built_in in zip(roles, fresh, strict=True)
    )  # fmt: skip
    return roles


@transaction.atomic
def create_role(
    *, company: Company, by: Membership | None, at: datetime, today: date, code: str, kind: RoleKind | str, reason: str,
    **texts,
) -> Role:  # fmt: skip
    """A hat of the company's own; its rights are those of its kind. `texts`: name_ru, name_en, mission_ru, mission_en, duties, kpis."""
    role = Role(company=company, code=code, kind=RoleKind(kind))
    check_fields(role)
    version = _version(role, 1, by, at, today, reason, texts)
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError as error:
        message = _("The company already has a role with the code %(code)s.") % {"code": code}
        raise RoleExists(message, [FieldError("code", "exists", message)]) from error
    version.save()
    after = {"code": code, "kind": str(role.kind), "name": version.name_ru}
    audit.record(company=company, by=by, verb="create_role", obj=role, at=at, after=after, reason=reason)
    return role


@transaction.atomic
def revise_role(
    *, company: Company, by: Membership | None, at: datetime, today: date, role: Role, reason: str, **texts
) -> RoleVersion:
    """A new version of what a hat says, with the reason; texts not given stay. Nothing changed: the current version returns."""
    current = RoleVersion.objects.select_for_update().get(company=company, role=role, superseded_at=None)
    kept = {name: getattr(current, name) for name in TEXTS}
    version = _version(role, current.number + 1, by, at, today, reason, kept | texts)
    before, after = changes(kept, {name: getattr(version, name) for name in TEXTS})
    if not after:
        return current
    current.superseded_at = at
    current.save(update_fields=["superseded_at"])
    version.save()
    audit.record(
        company=company, by=by, verb="revise_role", obj=role, at=at, reason=reason,
        before={"name": current.name_ru, **before}, after={"name": version.name_ru, **after},
    )  # fmt: skip
    return version


def _version(role: Role, number: int, by, at: datetime, today: date, reason: str, texts: dict) -> RoleVersion:
    if not reason.strip():
        raise refuse("reason", "required", _("Give the reason: a role changes only with one."))
    version = RoleVersion(
        company_id=role.company_id, role=role, number=number, valid_from=today, reason=reason, created_by=by,
        created_at=at, **texts,
    )  # fmt: skip
    version.duties = _with_keys(version.duties)
    check_fields(version, exclude=("duties", "kpis"))
    return version


def _with_keys(duties: list[dict]) -> list[dict]:
    """Duties with a key each; a new one gets the next free number, so that ticks of the others stay with them."""
    taken = {duty.get("key") for duty in duties}
    numbers = (f"d{number}" for number in range(1, 10_000) if f"d{number}" not in taken)
    made = []
    for duty in duties:
        if duty["cadence"] not in CADENCES:
            raise refuse("duties", "unknown_cadence", _("A duty recurs daily, weekly, monthly or quarterly."))
        row = {
            "key": duty.get("key") or next(numbers),
            "cadence": duty["cadence"],
            "ru": duty.get("ru", ""),
            "en": duty.get("en", ""),
        }
        made.append(row)
    return made
