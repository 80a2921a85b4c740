"""Writing stop-rules: a new one, a new version with a reason, the signature that puts a channel owner's version in force."""

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from kpis import rule_terms
from kpis.day_classes import BY_DAY, Window
from kpis.models import KpiVersion, StopRule, StopRuleVersion
from kpis.rule_signers import signers
from kpis.rule_terms import DERIVED, TERMS
from kpis.services.evaluations import request_evaluation
from kpis.services.kpis import spend_kpi
from roles import audit
from roles.models import Company, Membership
from roles.permissions import Permission
from roles.refusals import Conflict, Forbidden, Stale
from roles.validation import as_json, changes, refuse


class MayNotWriteRule(Forbidden):
    code = "may_not_write_rule"


class MayNotApproveRule(Forbidden):
    code = "may_not_approve_rule"


class NothingWaits(Conflict):
    code = "nothing_waits"


class RuleChanged(Stale):
    """Somebody made another version meanwhile."""


@transaction.atomic
def create_stop_rule(*, company: Company, by: Membership, at: datetime, reason: str = "", **terms) -> StopRule:
    """A new rule with its first version; what is not given is filled in as domain.md says.

    `terms`: any of rule_terms.TERMS; `kpi` is a KPI or its code, `channel` a channel or None. A channel owner's rule on
    an own channel waits for approve_stop_rule. Raises WrongTerms, MayNotWriteRule.
    """
    kpi = _kpi(company, at, terms)
    version = drafted(company, by, kpi, given_terms(terms) | {"kpi": kpi.kpi, "owner": terms.get("owner") or by})
    _check_may_write(by, version)
    version.rule = StopRule(company=company, number=_next_number(company))
    version.valid_from = company.local_date(at)
    rule_terms.check(company, version, kpi)
    _check_shadow(version, None)
    version.rule.save()
    version.rule_id = version.rule.pk
    _save_version(version, by, at, reason or "created", waits=_waits(company, by, at, version))
    audit.record(
        company=company, by=by, verb="create_stop_rule", obj=version.rule, at=at, reason=reason.strip(),
        after={"number": str(version.rule)} | _state(version),
    )  # fmt: skip
    _look_again(company, at)
    return version.rule


@transaction.atomic
def revise_stop_rule(
    *, company: Company, by: Membership, at: datetime, rule: StopRule, reason: str, expected: int | None = None, **terms
) -> StopRuleVersion:
    """A new version; its state comes from replaying history. Terms not given stay; the same again changes nothing.

    `expected`: the number of the version the caller saw. A channel owner's version waits, and the one before it goes on.
    Raises WrongTerms, MayNotWriteRule, RuleChanged, Refused without a reason.
    """
    before = latest_version(company=company, rule=rule)
    if expected is not None and expected != before.number:
        raise RuleChanged(_("Somebody changed it meanwhile. Read it again and repeat your change."))
    _check_may_write(by, before)
    given = given_terms(terms)
    kpi = _kpi(company, at, {"kpi": before.kpi, "window": before.window} | given)
    version = drafted(company, by, kpi, rule_terms.as_given(company, before) | given | {"kpi": kpi.kpi})
    _check_may_write(by, version)
    if _state(version) == _state(before):
        return before
    if not reason.strip():
        raise refuse("reason", "required", _("Write why it changes: people will ask."))
    version.rule = rule
    version.valid_from = company.local_date(at)
    rule_terms.check(company, version, kpi)
    _check_shadow(version, before)
    version.number = before.number + 1
    waits = _waits(company, by, at, version, before)
    _supersede(company, rule, at, waiting_only=waits)
    _save_version(version, by, at, reason, waits=waits)
    old, new = changes(_state(before), _state(version))
    audit.record(
        company=company, by=by, verb="revise_stop_rule", obj=rule, at=at, reason=reason.strip(),
        before={"number": str(rule), **old}, after={"number": str(rule), "version": version.number, **new},
    )  # fmt: skip
    _look_again(company, at)
    return version


@transaction.atomic
def approve_stop_rule(*, company: Company, by: Membership, at: datetime, rule: StopRule) -> StopRuleVersion:
    """Put the waiting version in force. Raises NothingWaits (409), MayNotApproveRule (403): never its author,
    nor a director who runs its channel (then the owner does)."""
    waiting = StopRuleVersion.objects.filter(company=company, rule=rule, superseded_at=None, approved_at=None)
    version = waiting.select_related("created_by__user").first()
    if version is None:
        if not by.can(Permission.SIGN_STOP_RULES):
            raise MayNotApproveRule(_("The marketing director puts a stop-rule in force."))
        raise NothingWaits(_("No version of this rule waits for a signature."))
    if problem := signers(company=company, on=company.local_date(at)).problem(by, version):
        raise MayNotApproveRule(problem)
    in_force = StopRuleVersion.objects.filter(company=company, rule=rule, superseded_at=None, approved_at__isnull=False)
    in_force.update(superseded_at=at)
    today = company.local_date(at)
    signed = {"approved_by": by, "approved_at": at, "valid_from": today}
    if not waiting.filter(pk=version.pk).update(**signed, shadow_until=rule_terms.shadow_if_signed(version, today)):
        raise NothingWaits(_("No version of this rule waits for a signature."))
    version.refresh_from_db()
    audit.record(
        company=company, by=by, verb="approve_stop_rule", obj=rule, at=at,
        after={"number": str(rule), "version": version.number, "author": str(version.created_by)},
    )  # fmt: skip
    _look_again(company, at)
    return version


@transaction.atomic
def hand_over_rule(
    *, company: Company, by: Membership | None, at: datetime, rule: StopRule, former: Membership, owner: Membership,
    reason: str,
) -> int:  # fmt: skip
    """Another person answers for a rule because `former` leaves: whose it is changes, not what was signed.

    The terms stay with their signatures, so there is no new version; the journal keeps who had it. Versions that wait
    pass too. Returns how many versions passed. Refused for one who has left.
    """
    if not owner.is_active:
        raise refuse("owner", "not_a_member", _("This person has left the company: choose another one."))
    held = StopRuleVersion.objects.filter(company=company, rule=rule, superseded_at=None, owner=former)
    passed = held.update(owner=owner)
    if passed:
        audit.record(
            company=company, by=by, verb="hand_over_rule", obj=rule, at=at, reason=reason,
            before={"number": str(rule), "person": str(former)}, after={"number": str(rule), "person": str(owner)},
        )  # fmt: skip
    return passed


def latest_version(*, company: Company, rule: StopRule) -> StopRuleVersion:
    """The version that waits, else the one in force."""
    rows = StopRuleVersion.objects.filter(company=company, rule=rule, superseded_at=None)
    return rows.select_related("kpi", "channel", "owner").order_by("-number")[0]


def given_terms(terms: dict) -> dict:
    """The terms as `drafted` takes them; TypeError for what is none of rule_terms.TERMS."""
    unknown = set(terms) - set(TERMS)
    if unknown:
        raise TypeError(f"not a term of a stop-rule: {sorted(unknown)}")
    given = {
        name: Decimal(value) if isinstance(value, int) and name == "line" else value for name, value in terms.items()
    }
    if given.get("name") is not None:
        given["name"] = str(given["name"]).strip()
    return given


def _kpi(company: Company, at: datetime, terms: dict) -> KpiVersion:
    """The KPI that the terms name; a budget rule watches spend, whatever the rule watched before."""
    if terms.get("window") == Window.BUDGET:
        return spend_kpi(company=company, at=at)
    return rule_terms.find_kpi(company, terms.get("kpi"))


def drafted(company: Company, by: Membership, kpi: KpiVersion, terms: dict) -> StopRuleVersion:
    """A version that is not saved: the given terms over the defaults. Of the derived ones None means "as usual".

    Refused without a line.
    """
    terms = {"window": Window.IN_A_ROW, **terms}
    if terms["window"] in BY_DAY:
        terms["n"] = 3 if terms.get("n") is None else terms["n"]
    if terms["window"] == Window.BUDGET and terms.get("line") is None:
        terms["line"] = 1 + rule_terms.TOLERANCE
    if terms.get("line") is None:
        raise refuse("line", "required", _("Give the line: beyond it the rule counts a day as bad."))
    usual = rule_terms.defaults(company, kpi, terms)
    filled = {name: usual[name] for name in DERIVED if terms.get(name) is None}
    channel, kind = rule_terms.scope_channel(terms.get("channel"), terms.get("channel_kind", ""))
    version = StopRuleVersion(company=company, **terms | filled | {"channel": channel, "channel_kind": kind})
    return rule_terms.fitted(version)


def _check_may_write(by: Membership, version: StopRuleVersion) -> None:
    if not by.can(Permission.MANAGE_STOP_RULES, version.channel):
        raise MayNotWriteRule(
            _(
                "Stop-rules are written by the owner, the marketing director and the analyst; by a channel's owner for it."
            )
        )


def _check_shadow(version: StopRuleVersion, before: StopRuleVersion | None) -> None:
    """A shadow that is over already is none; one that was over before stays as it was kept."""
    until = version.shadow_until
    if until is not None and until < version.valid_from and (before is None or until != before.shadow_until):
        raise refuse("shadow_until", "over", _("This day is over: give today or a later day, or none at all."))


def _waits(
    company: Company, by: Membership, at: datetime, version: StopRuleVersion, before: StopRuleVersion | None = None
) -> bool:
    return signers(company=company, on=company.local_date(at)).waits(by, version, before)


def _save_version(version: StopRuleVersion, by: Membership, at: datetime, reason: str, *, waits: bool) -> None:
    version.reason, version.created_by, version.created_at = reason.strip()[:500], by, at
    if not waits:
        version.approved_at = at
        version.approved_by = by if by.can(Permission.SIGN_STOP_RULES) else None
    try:
        with transaction.atomic():
            version.save()
    except IntegrityError as error:
        raise RuleChanged(_("Somebody changed it meanwhile. Read it again and repeat your change.")) from error


def _supersede(company: Company, rule: StopRule, at: datetime, *, waiting_only: bool) -> None:
    rows = StopRuleVersion.objects.filter(company=company, rule=rule, superseded_at=None)
    (rows.filter(approved_at=None) if waiting_only else rows).update(superseded_at=at)


def _next_number(company: Company) -> int:
    # The company's row is the queue: two people who write a rule at once get two numbers.
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    return (StopRule.objects.filter(company=company).aggregate(last=Max("number"))["last"] or 0) + 1


def _state(version: StopRuleVersion) -> dict:
    """The terms as an audit event keeps them, decimals in one spelling."""
    found = {}
    for name in TERMS:
        value = getattr(version, name)
        if isinstance(value, Decimal | int) and not isinstance(value, bool):
            value = f"{Decimal(value).normalize():f}"
        found[name] = as_json(value)
    return found


def _look_again(company: Company, at: datetime) -> None:
    request_evaluation(company=company, dirty_from=company.local_date(at))
