"""A contractor's person opens the tasks and briefs of the own contract and nothing else, whatever the address."""

from processes.models import Brief
from roles.models import Contractor

from .conftest import NOW, TODAY
from .test_access import PATTERNS, address

OWN = {
    "reports:today", "processes:action-list", "processes:action-close", "processes:action-accept", "processes:brief-list",
    "processes:brief-detail", "processes:brief-take", "processes:brief-return", "processes:brief-deliver",
    "mops:notification-list", "mops:notification-read", "mops:notification-open", "roles:token-list", "roles:token-create",
    "roles:token-revoke", "roles:absence-create", "roles:absence-remove",
    "roles:role-duty-tick", "mops:company-home",
    "processes:handover-list",
    "processes:handover-item-answer",
}  # fmt: skip
"""All that a person without the right to read may open: own tasks, duties, briefs, things they are asked to take, notifications, absences and tokens."""


REACH = ("mops:preference-", "mops:delivery-", "mops:telegram-")
"""How the own notifications reach them."""


def test_only_these_addresses_open_to_a_contractor(two_companies, sign_in):
    acme, _rival = two_companies
    browser = sign_in(acme.contractor)

    opened = {
        name
        for name, pattern in PATTERNS
        if browser.get(address("acme", name, pattern, acme.things)).status_code in {200, 302, 405}
    }

    assert {name for name in opened - OWN if not name.startswith(REACH)} == set()
    assert {"reports:today", "processes:brief-list", "processes:brief-detail"} <= opened


def test_a_brief_of_another_contract_is_shut_and_unseen(two_companies, sign_in):
    acme, _rival = two_companies
    owned = {"company": acme.company}
    other = Contractor.objects.create(
        **owned,
        name="Чужая студия",
        scope="x",
        starts_on=TODAY,
        ends_on=TODAY.replace(year=2036),
        responsible=acme.pm,
        changed_at=NOW,
    )
    brief = Brief.objects.create(
        **owned, contractor=other, title="Чужое задание", text="x", criteria=[{"text": "x", "met": False}], state="sent",
        due_on=TODAY, author=acme.pm, created_at=NOW, changed_at=NOW,
    )  # fmt: skip
    browser = sign_in(acme.contractor)

    for name, pattern in PATTERNS:
        if name.startswith("processes:brief-") and pattern.pattern.converters:
            url = address("acme", name, pattern, {"brief": {"pk": brief.pk}})
            for method in (browser.get, browser.post):
                assert method(url).status_code in {403, 405}, name
    for page in ("reports:today", "processes:brief-list"):
        url = next(address("acme", name, pattern, acme.things) for name, pattern in PATTERNS if name == page)
        shown = browser.get(url).content.decode()
        assert ("Чужое" in shown, "Форма" in shown) == (False, True)
