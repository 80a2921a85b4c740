"""The matrix of duties that must not meet, and the outside checks: naming, signing, skipping."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from roles import audit, catalogue, conflicts, formats, journal, selectors
from roles.conflicts import Clash, Worn
from roles.models import (
    AuditEvent,
    CheckRound,
    Company,
    ExternalCheck,
    Incompatibility,
    IncompatibilityVersion,
    Membership,
    Role,
)
from roles.permissions import Permission, RoleKind
from roles.refusals import Conflict, FieldError, Forbidden
from roles.services import check_rounds
from roles.validation import refuse

LONGEST_CHECK = timedelta(days=92)


class DutiesClash(Conflict):
    code = "duties_clash"


class OnlyOwnerChanges(Forbidden):
    code = "only_owner_changes"


class PairExists(Conflict):
    code = "pair_exists"


class NotTheChecker(Forbidden):
    code = "not_the_checker"


class RoundClosed(Conflict):
    code = "round_closed"


@dataclass(frozen=True)
class CheckTerms:
    """What makes a clash allowed: who looks, at what, how often, until which day (a quarter at most)."""

    checker: Membership
    what: str
    cadence: str
    until: date


def install_builtin_pairs(*, company: Company, at: datetime, today: date) -> None:
    """The built-in pairs a company lacks; roles that it does not have are left out. Doing it twice adds nothing."""
    roles = {role.code: role for role in Role.objects.filter(company=company)}
    for built_in in catalogue.INCOMPATIBLE:
        sides = {}
        for name, side in (("left", built_in.left), ("right", built_in.right)):
            sides |= {f"{name}_kind": side} if isinstance(side, RoleKind) else {f"{name}_role": roles.get(side)}
        if any(value is None for value in sides.values()):
            continue
        pair, made = Incompatibility.objects.get_or_create(company=company, **sides, defaults={"is_builtin": True})
        if made:
            IncompatibilityVersion.objects.create(
                company=company, pair=pair, why_ru=built_in.why_ru, why_en=built_in.why_en, valid_from=today,
                reason="built_in", created_at=at,
            )  # fmt: skip


@transaction.atomic
def add_pair(
    *, company: Company, by: Membership, at: datetime, today: date, left: Role | RoleKind, right: Role | RoleKind,
    why_ru: str, reason: str, why_en: str = "",
) -> IncompatibilityVersion:  # fmt: skip
    """Two more duties that must not meet; people who already wear both are shown, not stripped. Only the owner."""
    _check_owner(by)
    _check_texts(why_ru, reason)
    if left == right:
        raise refuse("right", "same", _("Choose two different duties."))
    same = [
        version
        for version in conflicts.all_pairs(company=company)
        if {left, right} == {_side(version.pair, "left"), _side(version.pair, "right")}
    ]
    if same:
        message = _("This pair is already in the matrix: change it there.")
        raise PairExists(message, [FieldError("right", "exists", message)])
    sides = {
        f"{name}_{'role' if isinstance(side, Role) else 'kind'}": side
        for name, side in (("left", left), ("right", right))
    }
    pair = Incompatibility.objects.create(company=company, **sides)
    version = IncompatibilityVersion.objects.create(
        company=company, pair=pair, why_ru=why_ru, why_en=why_en, valid_from=today, reason=reason, created_by=by,
        created_at=at,
    )  # fmt: skip
    audit.record(
        company=company, by=by, verb="add_incompatibility", obj=pair, at=at, reason=reason,
        after={"name": pair_name(version), "why": why_ru},
    )  # fmt: skip
    return version


@transaction.atomic
def revise_pair(
    *, company: Company, by: Membership, at: datetime, today: date, pair: Incompatibility, reason: str, why_ru: str,
    why_en: str = "", is_active: bool = True,
) -> IncompatibilityVersion:  # fmt: skip
    """Another reason, or let the duties meet from now on (`is_active` False). Nothing changed: the current version returns."""
    _check_owner(by)
    _check_texts(why_ru, reason)
    current = IncompatibilityVersion.objects.select_for_update().get(company=company, pair=pair, superseded_at=None)
    before = {"why": current.why_ru, "active": current.is_active}
    after = {"why": why_ru, "active": is_active}
    if before == after and current.why_en == why_en:
        return current
    IncompatibilityVersion.objects.filter(company=company, pk=current.pk).update(superseded_at=at)
    version = IncompatibilityVersion.objects.create(
        company=company, pair=pair, number=current.number + 1, why_ru=why_ru, why_en=why_en, is_active=is_active,
        valid_from=today, reason=reason, created_by=by, created_at=at,
    )  # fmt: skip
    name = {"name": pair_name(version)}
    audit.record(
        company=company, by=by, verb="revise_incompatibility", obj=pair, at=at, before=name | before,
        after=name | after, reason=reason,
    )  # fmt: skip
    return version


def guard(
    *, company: Company, by: Membership | None, at: datetime, today: date, candidates: list[Worn],
    check: CheckTerms | None,
) -> None:  # fmt: skip
    """Let these hats be put on: refuse the clashes they bring unless each is under a check, or `check` names one.

    In a company of one person nobody could check: there the conflict stands open on the map until somebody joins. Call inside the transaction that appoints, before it writes. Raises DutiesClash naming both duties, or what
    `name_check` raises.
    """
    candidates = [hat for hat in candidates if hat.person is not None]
    open_ones = [
        clash
        for clash in conflicts.would_clash(company=company, candidates=candidates)
        if conflicts.check_in_force(
            company=company, person=clash.person, pair=clash.version.pair, on=_met_on(clash, today)
        )
        is None
    ]
    if open_ones and check is None:
        if _nobody_could_check(company, open_ones):
            return
        message = " ".join(_refusal(clash, company) for clash in open_ones)
        raise DutiesClash(message, [FieldError("checker", "required", message)])
    for clash in open_ones:
        name_check(
            company=company, by=by, at=at, today=_met_on(clash, today), person=clash.person, pair=clash.version.pair,
            terms=check,
        )  # fmt: skip


def _nobody_could_check(company: Company, open_ones: list[Clash]) -> bool:
    checked = {clash.person.pk for clash in open_ones}
    return not Membership.objects.filter(company=company, is_active=True).exclude(pk__in=checked).exists()


def _met_on(clash: Clash, today: date) -> date:
    """The first day on which both duties are worn, today when that is past."""
    first = min(max(one.starts_on, other.starts_on) for one in clash.left for other in clash.right if one.meets(other))
    return max(first, today)


def _refusal(clash: Clash, company: Company) -> str:
    names = selectors.role_names(company=company)
    left, right = (
        ", ".join(dict.fromkeys(names.get(hat.role.pk, "") for hat in side)) for side in (clash.left, clash.right)
    )
    return _(
        "%(person)s would have both “%(left)s” and “%(right)s”, which must not meet: %(why)s Name who checks from "
        "outside, what, how often and until when, or appoint somebody else."
    ) % {"person": clash.person, "left": left, "right": right, "why": clash.version.why}


@transaction.atomic
def name_check(
    *, company: Company, by: Membership | None, at: datetime, today: date, person: Membership, pair: Incompatibility,
    terms: CheckTerms, takes_over: ExternalCheck | None = None,
) -> ExternalCheck:  # fmt: skip
    """Name who checks a clash from `today` on; its rounds are laid out at once, an earlier check of it ends the day before.
    `takes_over`: the check whose unsigned periods pass to the new checker, because the former one leaves.

    Raises Refused with the field, or Forbidden when the checked person names the checker and is not the owner.
    """
    _check_terms(by, person, terms, today)
    former = ExternalCheck.objects.filter(company=company, person=person, pair=pair, until__gte=today, ended_on=None)
    former.update(ended_on=today - timedelta(days=1))
    check = ExternalCheck.objects.create(
        company=company, person=person, pair=pair, checker=terms.checker, what=terms.what, cadence=terms.cadence,
        starts_on=today, until=terms.until, named_by=by, created_at=at,
    )  # fmt: skip
    first = check_rounds.take_over(former=takes_over, check=check) if takes_over else check.starts_on
    check_rounds.lay_out(check, first)
    after = {"person": str(person), "checker": str(terms.checker), "what": terms.what, "until": terms.until.isoformat()}
    audit.record(company=company, by=by, verb="name_external_check", obj=check, at=at, after=after)
    return check


@transaction.atomic
def sign_round(
    *, company: Company, by: Membership, at: datetime, today: date, one: CheckRound, outcome: str, finding: str
) -> CheckRound:
    """The checker's signature under what they looked at; the sample is kept with it. Late is better than never: it closes
    the conflict again. Raises NotTheChecker, RoundClosed or Refused."""
    locked = CheckRound.objects.select_for_update().get(company=company, pk=one.pk)
    check = ExternalCheck.objects.select_related("person__user", "checker__user").get(
        company=company, pk=locked.external_check_id
    )
    if by.pk != check.checker_id or by.pk == check.person_id:
        raise NotTheChecker(_("%(name)s was named to check.") % {"name": check.checker})
    if locked.signed_at is not None:
        raise RoundClosed(_("This check is already signed."))
    if locked.last_day >= today:
        message = _("These days are not over yet: sign from %(day)s on.")
        raise RoundClosed(message % {"day": formats.day(locked.last_day + timedelta(days=1))})
    if outcome not in CheckRound.Outcome.values:
        raise refuse("outcome", "required", _("Say what you found: in order, or with remarks."))
    if not finding.strip():
        raise refuse("finding", "required", _("Write what you looked at and what you found."))
    locked.signed_at, locked.signed_by, locked.outcome, locked.finding = at, by, outcome, finding.strip()
    locked.sample = [event.pk for event in sample_of(company=company, one=locked)]
    locked.save(update_fields=["signed_at", "signed_by", "outcome", "finding", "sample"])
    audit.record(
        company=company, by=by, verb="sign_check", obj=locked, at=at, reason=locked.finding,
        after={"person": str(check.person), "outcome": outcome, "seen": len(locked.sample)},
    )  # fmt: skip
    return locked


@transaction.atomic
def follow_checks(*, company: Company, at: datetime, today: date) -> int:
    """End the checks whose clash is gone, and write down once each round that was skipped: its conflict is open from that
    day. Returns how many were skipped; idempotent, the daily pass calls it."""
    met = {(clash.person.pk, clash.version.pair_id) for clash in conflicts.clashes_from(company=company, on=today)}
    running = ExternalCheck.objects.filter(company=company, until__gte=today, ended_on=None)
    for check in running.select_related("person__user", "checker__user"):
        if (check.person_id, check.pair_id) not in met:
            _end(check, None, at, today)
    late = CheckRound.objects.filter(company=company, signed_at=None, skipped_at=None, due_on__lt=today)
    rows = [one for one in late.select_related("external_check__person__user") if conflicts.is_skipped(one, today)]
    for one in rows:
        after = {"person": str(one.external_check.person)}
        audit.record(company=company, by=None, verb="skip_check", obj=one, at=at, after=after)
    CheckRound.objects.filter(company=company, pk__in=[one.pk for one in rows]).update(skipped_at=at)
    return len(rows)


def end_checks_by(*, company: Company, by: Membership | None, at: datetime, today: date, checker: Membership) -> None:
    """A checker leaves: their checks end with them, so that the conflicts stand open and ask for another one."""
    mine = ExternalCheck.objects.filter(company=company, until__gte=today, ended_on=None, checker=checker)
    for check in mine.select_related("person__user", "checker__user"):
        _end(check, by, at, today)


def _end(check: ExternalCheck, by: Membership | None, at: datetime, today: date) -> None:
    check.ended_on = today - timedelta(days=1)
    check.save(update_fields=["ended_on"])
    after = {"person": str(check.person), "checker": str(check.checker)}
    audit.record(company=check.company, by=by, verb="end_external_check", obj=check, at=at, after=after)


ACTS = {
    RoleKind.CMO: ("sign_decision", "propose_decision", "cosign_decision", "approve_stop_rule", "accept_weekly_report"),
    RoleKind.ANALYST: ("record_facts", "confirm_import", "run_import", "undo_import", "set_target", "revise_kpi"),
    RoleKind.CHANNEL_OWNER: (
        "submit_weekly_plan", "submit_weekly_fact", "amend_weekly_plan", "create_campaign", "update_campaign",
        "create_stop_rule", "revise_stop_rule",
    ),
    RoleKind.PM: ("appoint", "update_channel", "create_channel"),
    RoleKind.OWNER: ("cosign_decision", "appoint"),
}  # fmt: skip
"""What a hat does that a checker looks at: kind → verbs of the journal."""


def acts_of(pair: Incompatibility) -> tuple[str, ...]:
    """The verbs of both duties of a pair."""
    kinds = {RoleKind(_kind(pair, name)) for name in ("left", "right")}
    return tuple(verb for kind in sorted(kinds) for verb in ACTS.get(kind, ()))


def sample_of(*, company: Company, one: CheckRound) -> list[AuditEvent]:
    """What the checked person did under both duties in the days of the round, oldest first."""
    pair = Incompatibility.objects.select_related("left_role", "right_role").get(
        company=company, pk=one.external_check.pair_id
    )
    return journal.acts(
        company=company, person=one.external_check.person, verbs=acts_of(pair), since=one.first_day, until=one.last_day
    )


def pair_name(version: IncompatibilityVersion) -> str:
    return " × ".join(
        str(getattr(version.pair, f"{name}_role") or getattr(version.pair, f"{name}_kind"))
        for name in ("left", "right")
    )


def _side(pair: Incompatibility, name: str) -> Role | RoleKind:
    return getattr(pair, f"{name}_role") or RoleKind(getattr(pair, f"{name}_kind"))


def _kind(pair: Incompatibility, name: str) -> str:
    role = getattr(pair, f"{name}_role")
    return role.kind if role else getattr(pair, f"{name}_kind")


def _check_owner(by: Membership) -> None:
    if not by.can(Permission.SET_CONFLICTS):
        raise OnlyOwnerChanges(_("Only the owner changes which duties must not meet."))


def _check_texts(why_ru: str, reason: str) -> None:
    if not why_ru.strip():
        raise refuse(
            "why_ru", "required", _("Say why these duties must not meet: people read it when they are refused.")
        )
    if not reason.strip():
        raise refuse("reason", "required", _("Give the reason of the change: it stays in the history."))


def _check_terms(by: Membership | None, person: Membership, terms: CheckTerms, today: date) -> None:
    if by is not None and by.pk == person.pk and not by.wears(RoleKind.OWNER):
        message = _("Nobody names the checker of their own work: ask the owner or another manager.")
        raise Forbidden(message, [FieldError("checker", "own_work", message)])
    if terms.checker.pk == person.pk:
        raise refuse("checker", "same_person", _("Nobody checks themselves: choose another person."))
    if not terms.checker.is_active:
        raise refuse("checker", "not_a_member", _("The checker has left the company: choose another person."))
    if not terms.what.strip():
        raise refuse("what", "required", _("Say what is checked: figures against the cabinet, who signed what."))
    if terms.cadence not in ExternalCheck.Cadence.values:
        raise refuse("cadence", "required", _("Say how often it is checked."))
    if not today <= terms.until <= today + LONGEST_CHECK:
        message = _("A check lasts a quarter at most: choose a day up to %(day)s.")
        raise refuse("until", "too_long", message % {"day": formats.day(today + LONGEST_CHECK)})
