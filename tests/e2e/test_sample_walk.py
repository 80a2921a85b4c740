"""Every page of the sample company, as its people see it: phone and desktop, light and dark; no finding anywhere."""

from datetime import UTC, datetime

import pytest
import time_machine
from django_scopes import scope

from kpis.models import StopRule
from mops import pipeline
from mops.demo import people, seed
from processes.models import Decision
from reports.models import WeeklyReport

FRIDAY = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
PHONE, DESKTOP = {"width": 360, "height": 800}, {"width": 1440, "height": 900}
PAGES = {
    "owner": (
        "reports/dashboard/", "reports/today/", "reports/channels/", "reports/channels/vk/", "roles/", "roles/people/",
        "roles/journal/", "roles/company/", "roles/tokens/", "roles/permissions/", "targets/", "kpis/", "kpis/cpa/",
        "facts/?kpi=cpa&channel=vk", "stop-rules/", "sample/remove/",
    ),
    "cmo": (
        "reports/today/", "processes/decisions/", "{waiting}", "{signed}", "reports/week-summary/",
        "reports/weekly-reports/", "processes/actions/", "stop-rules/{rule}/", "stop-rules/{rule}/edit/", "notifications/",
    ),
    "pm": (
        "accesses/", "documents/", "contractors/", "processes/risks/", "processes/packs/", "processes/independence/",
        "roles/conflicts/",
    ),
    "performance": ("reports/today/", "{report}", "reports/channels/direct/", "processes/actions/"),
    "analyst": ("reports/today/", "sources/", "imports/", "imports/new/", "facts/type/", "stop-rules/new/"),
    "contractor": ("reports/today/",),
}  # fmt: skip


@pytest.fixture
def sample(transactional_db, settings):
    settings.ACCOUNT_RATE_LIMITS = False  # twelve sign-ins, and as many again where the browser hung
    with time_machine.travel(FRIDAY, tick=True):
        company = seed.seed(now=FRIDAY)
        pipeline.run_company(company.pk, FRIDAY)
        with scope(company=company):
            decisions = Decision.objects.order_by("state")
            report = WeeklyReport.objects.get(channel__code="vk", week="2026-11-16")
            yield {
                "waiting": f"processes/decisions/{decisions.get(state='open', channel__code='vk').pk}/",
                "signed": f"processes/decisions/{decisions.filter(state='signed').first().pk}/",
                "rule": StopRule.objects.get(number=2).pk,
                "report": f"reports/weekly-reports/{report.pk}/",
            }


def test_pages_of_the_sample_are_whole(window, sample):
    for person, pages in PAGES.items():
        for size, dark in ((PHONE, False), (DESKTOP, True)):
            walker = window(size, dark=dark)
            walker.sign_in(f"{person}@{people.DOMAIN}", people.PASSWORD)
            for page in pages:
                path = page.format(**sample)
                walker.open(f"/c/veresk/{path}")
                name = path.split("?")[0].strip("/").replace("/", "-")
                walker.check(f"sample-{person}-{size['width']}-{name}")
                assert seed.RIVAL_SHOWN not in walker.page.inner_text("body"), path
            walker.close()
