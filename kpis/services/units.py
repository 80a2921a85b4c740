"""What the money of a file is counted in, as somebody says it when the file leaves a doubt."""

from decimal import Decimal

from django.utils.translation import gettext as _

from kpis.models import Import
from kpis.selectors.scale import SCALES, Doubt, scale_doubt
from roles import formats
from roles.models import Company
from roles.refusals import FieldError, Refused


class ScaleNeeded(Refused):
    """The file's money is about 100, 1000 or 1 000 000 times that of the loads before it: `scale` must say what it is."""

    code = "scale_needed"


def checked_scale(company: Company, load: Import, rate: Decimal | None, scale: Decimal | None) -> Decimal | None:
    """The multiplier as it may be kept, None where nothing was said and nothing is in doubt. Raises ScaleNeeded."""
    if scale is not None:
        if scale not in SCALES:
            message = _("Choose from the list what the money of the file is counted in.")
            raise ScaleNeeded(message, [FieldError("scale", "unknown", message)])
        return scale
    if doubt := scale_doubt(company=company, load=load, rate=rate):
        message = doubt_sentence(company, doubt)
        raise ScaleNeeded(message, [FieldError("scale", "scale_needed", message)])
    return None


def remembered_scale(*, company: Company, load: Import, rate: Decimal | None = None) -> Decimal | None:
    """What was said of the last load of this source and format, where it would put this file right as well."""
    before = Import.objects.filter(
        company=company, source=load.source_id, profile=load.profile, state=Import.State.DONE
    )
    said = before.order_by("-pk").values_list("scale", flat=True).first()
    doubt = scale_doubt(company=company, load=load, rate=rate) if said is not None else None
    return said if doubt and doubt.scale == said else None


def doubt_sentence(company: Company, doubt: Doubt) -> str:
    """What is in doubt, with both figures, and what to do."""
    said = {
        "inside": formats.money(doubt.inside, company.currency, 2), "before": formats.money(doubt.before, company.currency, 2),
        "factor": formats.number(doubt.factor),
    }  # fmt: skip
    text = (
        _("A usual day in this file is %(inside)s, before it was %(before)s: about %(factor)s times less. Say what the money is counted in.")
        if doubt.is_less
        else _("A usual day in this file is %(inside)s, before it was %(before)s: about %(factor)s times more. Say what the money is counted in.")
    )  # fmt: skip
    return text % said
