"""Writing what is measured: the company's own metrics and the order of its funnel."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kpis import metrics
from kpis.models import FunnelStage, Metric
from kpis.selectors.measures import funnel_of, metrics_of
from kpis.services.codes import check_code
from roles import audit
from roles.models import Company, Membership
from roles.refusals import Conflict
from roles.validation import check_fields, refuse


class NoSlotLeft(Conflict):
    """All spare columns are taken."""

    code = "no_slot_left"


@transaction.atomic
def define_metric(
    *,
    company: Company,
    by: Membership | None,
    at: datetime,
    code: str,
    name_ru: str,
    name_en: str = "",
    unit: str = "count",
    settling_days: int = 1,
) -> Metric:
    """A metric of the company's own in the first free slot of twelve. Raises Refused, NoSlotLeft."""
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    check_code(company, code)
    taken = set(Metric.objects.filter(company=company).values_list("slot", flat=True))
    free = next((slot for slot in range(1, metrics.SPARE_SLOTS + 1) if slot not in taken), None)
    if free is None:
        raise NoSlotLeft(_("A company has at most %(n)s metrics of its own.") % {"n": metrics.SPARE_SLOTS})
    metric = Metric(
        company=company, code=code, name_ru=name_ru.strip(), name_en=name_en.strip(), unit=unit, slot=free,
        settling_days=settling_days,
    )  # fmt: skip
    check_fields(metric)
    metric.save()
    after = {"code": code, "name_ru": metric.name_ru, "unit": unit, "slot": free}
    audit.record(company=company, by=by, verb="define_metric", obj=metric, at=at, after=after)
    return metric


@transaction.atomic
def set_funnel(
    *, company: Company, by: Membership | None, at: datetime, stages: Sequence[str], reason: str
) -> list[str]:
    """The funnel from the top down, as metric codes; the same again changes nothing. Raises Refused."""
    Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    before, stages = funnel_of(company=company), list(stages)
    known = metrics_of(company=company)
    for code in stages:
        if code not in known or known[code].unit != "count":
            raise refuse(
                "stages", "unknown_metric", _("A stage is a metric that counts; “%(code)s” is not.") % {"code": code}
            )
    if len(stages) < 2 or len(set(stages)) < len(stages):
        raise refuse("stages", "invalid", _("A funnel has at least two stages, each of them once."))
    if stages == before:
        return before
    if not reason.strip():
        raise refuse("reason", "required", _("Write why it changes: people will ask."))
    FunnelStage.objects.filter(company=company).delete()
    FunnelStage.objects.bulk_create(
        FunnelStage(company=company, position=place, metric=code) for place, code in enumerate(stages, start=1)
    )
    audit.record(
        company=company, by=by, verb="set_funnel", obj=company, at=at, before={"stages": before},
        after={"stages": stages}, reason=reason.strip(),
    )  # fmt: skip
    return stages
