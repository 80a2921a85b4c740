"""kill -9 while somebody signs: nothing is lost, nothing is doubled, nothing half done stays behind."""

import os
import signal
import subprocess
import sys

import pytest

from tests.kpis.test_evaluation import child_environment

from .conftest import NOW

CHILD = """
import os, django
django.setup()
from datetime import datetime
from django_scopes import scopes_disabled
from kpis.models import Breach, Verdict
from processes import services
from processes.models import Action, Decision, Signature
from processes.signatures import AlreadySigned
from processes.terms import Terms
from roles.models import AuditEvent, Channel, Company, Membership
with scopes_disabled():
    company = Company.objects.get(slug="acme")
    decision = Decision.objects.get(company=company)
    person = Membership.objects.get(company=company, user__email=os.environ["WHO"] + "@acme.example")
    common = {"company": company, "decision": decision, "by": person, "at": datetime.fromisoformat(os.environ["AT"])}
    try:
        if os.environ["DOES"] == "sign":
            services.sign_decision(
                **common, choice=os.environ["CHOICE"], reason="Заявки вдвое дороже",
                terms=Terms(until=datetime.fromisoformat("2026-11-27").date()),
            )
        elif os.environ["DOES"] == "cosign":
            services.cosign_decision(**common)
    except AlreadySigned:
        print("already", end=" ")
    decision.refresh_from_db()
    print(
        decision.state, bool(decision.seal), Signature.objects.count(), Action.objects.count(), Verdict.objects.count(),
        Channel.objects.get(company=company, code="vk").status, Breach.objects.get().closed_as or "open",
        AuditEvent.objects.filter(verb__in=["sign_decision", "cosign_decision"]).count(),
    )
"""
UNTOUCHED = "open False 0 0 0 active open 0"
STOPPED = "signed True 1 1 1 stopped signed 1"
WAITING = "waiting_cosign False 1 0 0 active open 0"
CONTINUED = "signed True 2 1 1 active open 1"


@pytest.fixture
def child(house, tmp_path):
    environment = {**os.environ, **child_environment(tmp_path), "AT": NOW.isoformat()}

    def run(does="", choice="stop", who="cmo", fail_at=""):
        env = {**environment, "DOES": does, "CHOICE": choice, "WHO": who, "FAIL_AT": fail_at}
        return subprocess.run([sys.executable, "-c", CHILD], env=env, capture_output=True, text=True)

    return run


def killed(result) -> bool:
    assert result.returncode == -signal.SIGKILL, result.stderr
    return True


@pytest.mark.django_db(transaction=True)
def test_kill_9_while_signing_a_stop(child):
    for place in ("before_effect", "after_effect", "before_commit"):
        assert killed(child("sign", fail_at=f"signing.{place}"))
        assert child().stdout.strip() == UNTOUCHED, place

    assert child("sign").stdout.strip() == STOPPED
    assert child("sign").stdout.strip() == f"already {STOPPED}"


@pytest.mark.django_db(transaction=True)
def test_kill_9_while_the_second_signature_is_given(house, child, tmp_path):
    from roles.models import Channel

    Channel.objects.filter(pk=house.vk.pk).update(owner=house.cmo)
    child_environment(tmp_path)
    assert killed(child("sign", choice="continue", fail_at="signing.before_commit"))
    assert child().stdout.strip() == UNTOUCHED
    assert child("sign", choice="continue").stdout.strip() == WAITING

    for place in ("before_effect", "after_effect"):
        assert killed(child("cosign", who="owner", fail_at=f"signing.{place}"))
        assert child().stdout.strip() == WAITING, place

    assert child("cosign", who="owner").stdout.strip() == CONTINUED
