"""Two people change numbers at once, on PostgreSQL: versions stay in a row, slots and codes are given once."""

from datetime import UTC, date, datetime

import pytest

from kpis.models import Kpi, KpiVersion, Metric, Target
from kpis.services.kpis import KpiChanged, create_kpi, install_builtin_kpis, revise_kpi
from kpis.services.measures import define_metric
from kpis.services.targets import set_target
from roles.refusals import Refused
from tests.conftest import make_company
from tests.races import at_once

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NOVEMBER = date(2026, 11, 1)

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def acme(transactional_db):
    made = make_company("acme")
    install_builtin_kpis(company=made.company, at=NOW)
    return made


def test_two_plans_at_once_are_two_versions(acme):
    def plan(value):
        return lambda: set_target(
            company=acme.company, by=acme.cmo, at=NOW, measure="leads", month=NOVEMBER, value=value, reason="План"
        )

    answers = at_once(*(plan(value) for value in (100, 200, 300)))

    assert all(isinstance(answer, Target) for answer in answers), answers
    assert sorted(Target.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert Target.objects.filter(superseded_at=None).count() == 1


def test_of_two_revisions_of_one_version_one_is_stale(acme):
    kpi = Kpi.objects.get(code="cpa")

    def revise(name):
        return lambda: revise_kpi(
            company=acme.company, by=acme.cmo, at=NOW, kpi=kpi, reason="Так", expected=1, name_ru=name
        )

    answers = at_once(revise("CPA 1"), revise("CPA 2"))

    assert {type(answer) for answer in answers} == {KpiVersion, KpiChanged}, answers
    assert KpiVersion.objects.filter(kpi=kpi).count() == 2


def test_installing_at_once_installs_once(acme):
    other = make_company("other")

    answers = at_once(*[lambda: install_builtin_kpis(company=other.company, at=NOW)] * 2)

    assert sorted(len(answer) for answer in answers) == [0, 13], answers
    assert Kpi.objects.filter(company=other.company).count() == 13


def test_code_and_slot_are_given_once(acme):
    def metric(code):
        return lambda: define_metric(company=acme.company, by=acme.analyst, at=NOW, code=code, name_ru=code)

    answers = at_once(metric("calls"), metric("visits_2"), lambda: create_kpi(
        company=acme.company, by=acme.cmo, at=NOW, code="calls", name_ru="Звонки", formula="spend / leads", better="lower",
        unit="money",
    ))  # fmt: skip

    assert sum(isinstance(answer, Refused) for answer in answers) == 1, answers
    assert len(set(Metric.objects.values_list("slot", flat=True))) == Metric.objects.count()
