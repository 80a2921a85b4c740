"""Codes of a company's own metrics and KPIs: one name means one thing."""

import re

from django.utils.translation import gettext as _

from kpis import metrics
from kpis.catalogue import BUILT_IN_KPIS
from kpis.models import Kpi, Metric
from roles.models import Company
from roles.validation import refuse

CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
RESERVED = frozenset(
    {"channel", "campaign", "date", "day", "week", "month", "source", "load", "company", "total", "new", "earned"}
)
"""Words that stand beside metrics in a row of facts or in a query."""


def check_code(company: Company, code: str) -> None:
    """Refused when the code does not fit formulas, is a reserved word, or already means something."""
    if not CODE.fullmatch(code):
        raise refuse(
            "code",
            "invalid",
            _("A code has small Latin letters, digits and _, 40 at most, a letter first: for example calls."),
        )
    taken = (
        code in RESERVED or code in metrics.BUILT_IN or code in metrics.COLUMNS or code in BUILT_IN_KPIS
        or Metric.objects.filter(company=company, code=code).exists()
        or Kpi.objects.filter(company=company, code=code).exists()
    )  # fmt: skip
    if taken:
        raise refuse(
            "code", "taken", _("The code “%(code)s” already means something. Choose another one.") % {"code": code}
        )
