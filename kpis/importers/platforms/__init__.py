"""Exports of ad platforms, counters, mailers and CRMs. A new one: a `Platform` (of a CRM a `Deals`) in the module of its
kind, and a file in the tests."""

from kpis.importers.platforms import crm, google, mailers, markets, social, yandex

ALL = (*social.ALL, *markets.ALL, *google.ALL, *yandex.ALL, *mailers.ALL, crm.YOOKASSA)
"""The more particular ones first: what Direct calls its figures others call so too."""

CRMS = crm.CRMS
"""Exports whose rows are deals, not days."""


def names() -> list[str]:
    """The platforms whose exports are read, each once, in alphabetical order."""
    return sorted({platform.NAME for platform in (*ALL, *CRMS)})
