"""The page of a stop-rule leads to the decision about what fired."""

import pytest
import time_machine

from kpis.models import RuleState
from tests.conftest import shown

from .conftest import NOW, sign

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(NOW, tick=False):
        yield


def test_the_page_of_a_rule_leads_to_the_decision(house, sign_in):
    states = RuleState.objects.filter(version=house.version)
    states.update(state="firing")
    path, decision = f"/c/acme/stop-rules/{house.version.rule_id}/", f"/processes/decisions/{house.decision.pk}/"

    def told() -> str:
        html = sign_in(house.pm).get(path).content.decode()
        _before, found, after = html.partition(decision)
        return shown(after[after.index(">") + 1 : after.index("<")]) if found else ""

    assert told() == "ждёт решения"
    sign(house)
    states.update(state="stopped")
    assert told() == "подписано"
    states.update(state="ok")
    assert told() == "", "what is well has nothing to decide"
