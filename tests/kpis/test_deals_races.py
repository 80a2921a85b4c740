"""Loads, rules and undoing of deals at one moment, on PostgreSQL: the facts end as the deals make them."""

import pytest

from kpis.models import Deal, Import
from kpis.services import import_runs, imports, utm_rules
from kpis.services.recounts import request_recount
from roles.refusals import Refused
from tests.conftest import make_company
from tests.races import at_once

from .test_deals import HEAD, WON, crm, day, deal, facts, load_all, receive, rule
from .test_imports import NOW

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def acme(transactional_db):
    return make_company("acme")


def queued(made, content, source=None) -> Import:
    load = receive(made, content, source=source)
    return imports.confirm_import(company=made.company, by=made.analyst, at=NOW, load=load, mapping=load.mapping)


def run(made, load):
    return lambda: import_runs.run_import(company=made.company, pk=load.pk, at=NOW)


def is_settled(made) -> bool:
    """Nothing is left to recount."""
    request_recount(company=made.company, by=None, at=NOW)
    import_runs.run_due_imports(company=made.company, at=NOW)
    last = Import.objects.filter(profile="deals").first()
    return last is None or (last.created, last.changed) == (0, 0)


@pytest.mark.parametrize("_time", range(3))
def test_a_rule_made_while_the_first_load_runs_counts(acme, _time):
    load = queued(acme, HEAD + "".join(deal(n) for n in range(50)))

    answers = at_once(run(acme, load), lambda: rule(acme))

    assert not [answer for answer in answers if isinstance(answer, Exception)], answers
    import_runs.run_due_imports(company=acme.company, at=NOW)
    assert facts(acme) == {("vk", 0, day(10)): (50, 0, 0, 0, 0)}


def test_two_workers_load_once(acme):
    rule(acme)
    load = queued(acme, HEAD + deal(1))

    assert sorted(at_once(*[run(acme, load)] * 2)) == [False, True]
    assert Deal.objects.count() == 1


def test_undoing_one_source_and_changing_rules_do_not_block_each_other(acme):
    made = rule(acme).row
    loads = [load_all(acme, HEAD + deal(1))]
    for code in ("second", "third"):
        load = queued(acme, HEAD + deal(2, WON, closed="12.11.2026"), crm(acme, code))
        import_runs.run_due_imports(company=acme.company, at=NOW)
        loads.append(load)

    def undo(load):
        return lambda: imports.undo_import(company=acme.company, by=acme.analyst, at=NOW, load=load)

    answers = at_once(*map(undo, loads), lambda: rule(acme, rule=made, channel=acme.blog), lambda: rule(acme, "x*"))

    assert not [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refused)], (
        answers
    )
    import_runs.run_due_imports(company=acme.company, at=NOW)
    assert not Deal.objects.exists()
    assert is_settled(acme)
    assert facts(acme) == {}


def test_one_rule_is_made_once(acme):
    answers = at_once(*[lambda: rule(acme)] * 2)

    assert {type(answer) for answer in answers} == {utm_rules.Recounted, utm_rules.RuleExists}, answers
