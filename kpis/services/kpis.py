"""Writing KPIs: the built-in ones installed, own ones made, each changed only by a new version with a reason."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kpis import wording
from kpis.catalogue import BUILT_IN_KPIS
from kpis.formulas import FormulaError, parse
from kpis.models import Kpi, KpiVersion
from kpis.selectors.measures import metrics_of
from kpis.services.codes import check_code
from kpis.windows import SPENDING
from roles import audit
from roles.models import Company, Membership
from roles.refusals import FieldError, Refused, Stale
from roles.validation import changes, check_fields, refuse

SPENDING_CODE = "spending"
FIELDS = ("name_ru", "name_en", "formula", "better", "unit", "parent")


class FormulaRefused(Refused):
    """The formula does not parse or names what is not a metric."""

    code = "formula"


class KpiChanged(Stale):
    """Somebody made another version meanwhile."""


@transaction.atomic
def install_builtin_kpis(*, company: Company, at: datetime) -> list[Kpi]:
    """Give the company every built-in KPI it lacks; doing it twice changes nothing. The created ones are returned."""
    _lock(company)
    known = {kpi.code: kpi for kpi in Kpi.objects.filter(company=company)}
    missing = [kpi for code, kpi in BUILT_IN_KPIS.items() if code not in known]
    made = [Kpi.objects.create(company=company, code=kpi.code, is_builtin=True) for kpi in missing]
    known |= {kpi.code: kpi for kpi in made}
    KpiVersion.objects.bulk_create(
        KpiVersion(
            company=company, kpi=known[kpi.code], name_ru=kpi.name_ru, name_en=kpi.name_en, formula=kpi.formula,
            better=kpi.better, unit=kpi.unit, parent=known[kpi.parent] if kpi.parent else None,
            valid_from=company.local_date(at), reason="builtin", created_at=at,
        )
        for kpi in missing
    )  # fmt: skip
    if made:
        audit.record(
            company=company, by=None, verb="install_builtin_kpis", obj=company, at=at,
            after={"kpis": [kpi.code for kpi in made]},
        )  # fmt: skip
    return made


@transaction.atomic
def spend_kpi(*, company: Company, at: datetime) -> KpiVersion:
    """The KPI that is nothing but spend, which budget rules watch; made when the first of them is written."""
    _lock(company)
    current = KpiVersion.objects.filter(company=company, superseded_at=None, formula=SPENDING).select_related("kpi")
    found = current.order_by("kpi_id").first()
    if found is not None:
        return found
    kpi = Kpi.objects.create(company=company, code=SPENDING_CODE, is_builtin=True)
    version = KpiVersion.objects.create(
        company=company, kpi=kpi, name_ru="Расход", name_en="Spend", formula=SPENDING, better="lower", unit="money",
        valid_from=company.local_date(at), reason="builtin", created_at=at,
    )  # fmt: skip
    audit.record(
        company=company, by=None, verb="create_kpi", obj=kpi, at=at, after=changes({}, _state(version))[1],
        reason=version.reason,
    )  # fmt: skip
    return version


@transaction.atomic
def create_kpi(
    *,
    company: Company,
    by: Membership | None,
    at: datetime,
    code: str,
    name_ru: str,
    formula: str,
    better: str,
    unit: str,
    name_en: str = "",
    parent: str | None = None,
    reason: str = "",
) -> KpiVersion:
    """A KPI of the company's own; `parent` is a KPI code. Raises Refused, FormulaRefused."""
    _lock(company)
    check_code(company, code)
    kpi = Kpi(company=company, code=code)
    version = KpiVersion(
        company=company, kpi=kpi, name_ru=name_ru.strip(), name_en=name_en.strip(), formula=formula.strip(),
        better=better, unit=unit, parent=_parent(company, kpi, parent), valid_from=company.local_date(at),
        reason=reason.strip() or "created", created_by=by, created_at=at,
    )  # fmt: skip
    _check(company, version)
    kpi.save()
    version.kpi = kpi
    version.save()
    audit.record(
        company=company, by=by, verb="create_kpi", obj=kpi, at=at, after=changes({}, _state(version))[1],
        reason=version.reason,
    )  # fmt: skip
    return version


@transaction.atomic
def revise_kpi(
    *,
    company: Company,
    by: Membership | None,
    at: datetime,
    kpi: Kpi,
    reason: str,
    expected: int | None = None,
    **fields,
) -> KpiVersion:
    """A new version of a KPI, valid from today: what the past was judged by stays. The same again changes nothing.

    `fields`: any of name_ru, name_en, formula, better, unit, parent (a KPI code or None). `expected`: the number of the
    version the caller saw. Raises Refused without a reason, FormulaRefused, KpiChanged.
    """
    _lock(company)
    current = KpiVersion.objects.select_related("kpi", "parent").get(company=company, kpi=kpi, superseded_at=None)
    if expected is not None and expected != current.number:
        raise KpiChanged(_("Somebody changed it meanwhile. Read it again and repeat your change."))
    before = _state(current)
    version = KpiVersion(company=company, kpi=kpi, **{name: getattr(current, name) for name in FIELDS})
    for name, value in fields.items():
        setattr(version, name, _parent(company, kpi, value) if name == "parent" else str(value).strip())
    if _state(version) == before:
        return current
    if not reason.strip():
        raise refuse("reason", "required", _("Write why it changes: people will ask."))
    version.reason, version.created_by, version.created_at = reason.strip(), by, at
    version.number, version.valid_from = current.number + 1, company.local_date(at)
    _check(company, version)
    current.superseded_at = at
    current.save(update_fields=["superseded_at"])
    version.save()
    old, new = changes(before, _state(version))
    audit.record(
        company=company, by=by, verb="revise_kpi", obj=kpi, at=at, before=old, after=new, reason=version.reason
    )
    return version


def _lock(company: Company) -> None:
    """One writer of KPIs per company at a time, so that codes stay unique and the tree stays a tree."""
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)


def _state(version: KpiVersion) -> dict:
    """What a version says, for comparing and for the audit."""
    state = {name: getattr(version, name) for name in FIELDS}
    state["parent"] = version.parent.code if version.parent else None
    return state


def _check(company: Company, version: KpiVersion) -> None:
    check_fields(version, exclude=("number", "valid_from", "created_at"))
    try:
        formula = parse(version.formula)
    except FormulaError as error:
        message = wording.problem(error)
        raise FormulaRefused(message, [FieldError("formula", error.code, message)]) from error
    unknown = sorted(formula.metrics - metrics_of(company=company).keys())
    if unknown:
        message = _("There is no metric “%(code)s”. Take its code from the list of metrics.") % {"code": unknown[0]}
        raise FormulaRefused(message, [FieldError("formula", "unknown_metric", message)])


def _parent(company: Company, kpi: Kpi, code: str | None) -> Kpi | None:
    """The parent KPI; refused when unknown, the KPI itself or one of its descendants: the tree must lead up to money."""
    if not code:
        return None
    parents = {
        version.kpi.code: version.parent.code if version.parent else None
        for version in KpiVersion.objects.filter(company=company, superseded_at=None).select_related("kpi", "parent")
    }
    if code not in parents:
        raise refuse("parent", "unknown", _("There is no KPI “%(code)s”.") % {"code": code})
    above: str | None = code
    for _step in range(len(parents) + 1):
        if above is None:
            break
        if above == kpi.code:
            raise refuse(
                "parent",
                "loop",
                _("The tree would turn in a circle: “%(code)s” hangs under this KPI.") % {"code": code},
            )
        above = parents.get(above)
    return Kpi.objects.get(company=company, code=code)
