"""What a company is judged by, besides its facts and signatures, in a few characters: once that is another, every day may be."""

from hashlib import sha256

from kpis.fleet.inputs import Inputs
from roles.models import Company

ENGINE = 1
"""Grows with every release that judges old days otherwise."""


def fingerprint(inputs: Inputs, company: Company) -> str:
    """Of the rules in force, their formulas, the running scopes with their budgets, the sources, own metrics and days in doubt."""
    versions = inputs.versions.get(company.pk, ())
    told = (
        ENGINE,
        [(version.pk, inputs.formulas[version.kpi_id].text if version.kpi_id in inputs.formulas else "") for version in versions],
        sorted({_terms(one) for one in inputs.series[company.pk]}),
        inputs.sources.get(company.pk), sorted(inputs.own_columns.get(company.pk, {}).items()),
        str(inputs.doubts.get(company.pk, [])),
    )  # fmt: skip
    return sha256(repr(told).encode()).hexdigest()[:32]


def _terms(one) -> tuple:
    """A scope as rules look at it; budgets in words, because None has no order."""
    channel, campaign = one.channel, one.campaign
    bounds = (channel.monthly_budget, channel.test_budget, channel.tolerance, channel.stop_loss)
    if campaign is None:
        return channel.id, 0, str(bounds)
    return (
        channel.id,
        campaign.id,
        str((*bounds, campaign.budget, campaign.tolerance, campaign.stop_loss, campaign.series)),
    )
