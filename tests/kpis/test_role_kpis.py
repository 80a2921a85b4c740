"""A role's page shows its KPIs with their values, to whoever may see that money."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kpis.selectors.role_kpis import role_kpis
from kpis.services import kpis as kpi_services
from kpis.services.facts import record_facts
from roles.models import RoleVersion


@pytest.fixture
def house(acme):
    now = datetime.now(UTC)
    acme.today = acme.company.local_date(now)
    kpi_services.install_builtin_kpis(company=acme.company, at=now)
    RoleVersion.objects.filter(role=acme.roles["performance"]).update(kpis=["cpl", "reports_on_time"])
    day = (acme.today - timedelta(days=3)).isoformat()
    rows = [
        {"channel": "vk", "date": day, "spend": Decimal(4321), "leads": 1},
        {"channel": "blog", "date": day, "spend": Decimal(100), "leads": 1},
    ]
    record_facts(company=acme.company, by=acme.analyst, at=now, source_code="crm", rows=rows)
    return acme


def test_values_are_of_the_channels_asked_for(house):
    asked = {"company": house.company, "codes": ["cpl", "reports_on_time", "ctr"], "today": house.today}

    assert role_kpis(**asked, channel_ids=[house.vk.pk])["cpl"].value == Decimal(4321)
    assert role_kpis(**asked)["cpl"].value == Decimal("2210.5")
    assert role_kpis(**asked)["ctr"].value is None
    assert set(role_kpis(**asked)) == {"cpl", "ctr"}


@pytest.mark.parametrize(("person", "sees"), [("owner", True), ("performance", True), ("content", False)])
def test_the_page_shows_them_to_whoever_sees_the_money_of_these_channels(house, sign_in, person, sees):
    page = sign_in(getattr(house, person)).get(f"/c/acme/roles/{house.roles['performance'].pk}/").content.decode()

    assert ("4\u00a0321" in page) is sees
