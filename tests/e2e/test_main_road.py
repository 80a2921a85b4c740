"""The main job in the browser: a file is loaded, a rule fires, the CMO signs on a phone, the channel shows it, the owner of
the channel files the fact without JavaScript, the owner's page tells the story."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from kpis.periods import month_start
from kpis.services import kpis, stop_rules, targets
from mops import pipeline
from processes.models import Action, Decision
from reports.models import WeeklyReport
from roles import selectors
from roles.models import Channel

FRIDAY = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
PASSWORD = "correct-horse-9"
PHONE = {"width": 390, "height": 844}
START = date(2026, 11, 2)


def report_file() -> bytes:
    """VK and the blog since 2 November; the last three days of VK cost 5 000 ₽ and more for a qualified lead."""
    lines = ["дата;канал;расход;лиды;заявки;договоры;новые клиенты;выручка;валовая прибыль"]
    day = START
    while day < FRIDAY.date():
        bad = (FRIDAY.date() - day).days <= 3
        spend, qualified = ("40 000,50", 7) if bad else ("24 000", 8)
        lines.append(f"{day:%d.%m.%Y};vk;{spend};12;{qualified};1;1;186 000;65 100")
        lines.append(f"{day:%d.%m.%Y};blog;5 000;4;3;1;1;160 000;56 000")
        day += timedelta(days=1)
    return "\n".join(lines).encode("cp1251")


@pytest.fixture
def road(acme):
    """A company with KPIs, a plan and one stop-rule, and no figure yet."""
    company = acme.company
    kpis.install_builtin_kpis(company=company, at=FRIDAY)
    for code, value in {"spend": 720_000, "leads": 340, "qualified_leads": 240, "deals": 30, "revenue": 5_000_000,
                        "gross_profit": 1_800_000, "cpa": 3_000}.items():  # fmt: skip
        targets.set_target(
            company=company, by=acme.cmo, at=FRIDAY, measure=code, channel=acme.vk, month=month_start(START),
            value=Decimal(value), reason="Медиаплан",
        )  # fmt: skip
    stop_rules.create_stop_rule(
        company=company, by=acme.cmo, at=FRIDAY, name="CPA VK", kpi="cpa", comparison="above", line=Decimal(3_500),
        window="in_a_row", n=3, channel=acme.vk, action="stop",
    )  # fmt: skip
    return acme


def load_the_file(window, road):
    walker = window()
    walker.sign_in(road.analyst.user.email, PASSWORD)
    page = walker.open("/c/acme/imports/new/")
    walker.check("1-upload")
    page.set_input_files("[name=file]", {"name": "отчёт.csv", "mimeType": "text/csv", "buffer": report_file()})
    page.fill("[name=source_name]", "CRM")
    page.click("main form button[type=submit]")
    page.wait_for_load_state()
    walker.check("2-preview")
    page.click("button[value=load]")
    page.wait_for_load_state()
    walker.check("3-queued")


def sign_on_the_phone(window, road):
    walker = window(PHONE)
    walker.sign_in(road.cmo.user.email, PASSWORD)
    page = walker.open("/c/acme/reports/today/")
    walker.check("4-cmo-today")
    page.click("main a[href*='/processes/decisions/']")
    page.wait_for_load_state()
    walker.check("5-decision")
    page.check("[name=choice][value=stop]")
    page.fill("[name=reason]", "Выгорела аудитория, новые объявления к пятнице")
    page.click("#sign-form button.btn-stop[type=submit]")
    if page.locator("#confirm-stop").is_visible():
        page.click("#confirm-stop [data-confirmed]")
    page.wait_for_load_state()
    walker.check("6-signed")
    walker.open("/c/acme/reports/channels/vk/")
    walker.check("7-channel-stopped")
    assert "остановлен" in page.inner_text("main").lower()


def file_the_fact_without_scripts(window, road, report):
    walker = window(PHONE, javascript=False)
    walker.sign_in(road.performance.user.email, PASSWORD)
    page = walker.open(f"/c/acme/reports/weekly-reports/{report.pk}/")
    page.click("button[name=intent][value=submit]")
    page.wait_for_load_state()
    assert page.locator(".error, [role=alert]").count() > 0
    page.check("[name=cause][value=execution]")
    page.fill("[name=conclusion]", "Частота показов выросла вдвое: люди видят одно и то же.")
    page.locator("textarea[name*=text], input[name*=text]").first.fill("Собрать новую аудиторию")
    page.locator("input[type=date][name*=due]").first.fill("2026-11-27")
    owner = page.locator("select[name*=owner]").first
    if owner.count():
        owner.select_option(str(road.performance.pk))
    page.click("button[name=intent][value=submit]")
    page.wait_for_load_state()
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_from_the_file_to_the_owners_page(window, road, dark):
    with time_machine.travel(FRIDAY, tick=True):
        load_the_file(window, road)
        pipeline.run_company(road.company.pk, datetime.now(UTC))
        decision = Decision.objects.get(company=road.company)
        assert decision.state == "open"

        sign_on_the_phone(window, road)
        decision.refresh_from_db()
        assert (decision.state, decision.choice) == ("signed", "stop")
        assert Channel.objects.get(pk=road.vk.pk).status == "stopped"
        assert Action.objects.filter(decision=decision, owner=road.performance).exists()

        report = WeeklyReport.objects.get(company=road.company, channel=road.vk, week=date(2026, 11, 16))
        page = file_the_fact_without_scripts(window, road, report)
        report.refresh_from_db()
        assert report.state == "submitted", page.inner_text("main")

        walker = window(dark=dark)
        walker.sign_in(road.owner.user.email, PASSWORD)
        walker.open("/c/acme/reports/dashboard/")
        walker.check("8-dashboard")
        text = walker.page.inner_text("main").replace("\u00a0", " ")
        assert "В ноябре заработали" in text
        assert "VK Реклама" in text


PAGES = {
    "owner": ("reports/today/", "roles/", "roles/people/", "roles/journal/", "roles/company/", "roles/tokens/", "roles/permissions/", "stop-rules/", "kpis/", "targets/", "notifications/"),
    "analyst": ("sources/", "imports/", "facts/type/", "stop-rules/new/"),
    "performance": ("reports/today/", "reports/weekly-reports/", "processes/actions/", "reports/channels/"),
}  # fmt: skip


@pytest.mark.parametrize("person", PAGES)
@pytest.mark.parametrize(
    "size", [PHONE, {"width": 360, "height": 740}, {"width": 1440, "height": 900}], ids=lambda s: str(s["width"])
)
def test_pages_are_whole_in_every_width(window, road, person, size):
    pipeline.run_company(road.company.pk, datetime.now(UTC))
    walker = window(size)
    walker.sign_in(getattr(road, person).user.email, PASSWORD)
    for path in PAGES[person]:
        walker.open(f"/c/acme/{path}")
        walker.check(f"{person}-{size['width']}-{path.strip('/').replace('/', '-')}")


def test_language_and_company_are_switched(window, road, rival):
    from roles.models import Membership

    Membership.objects.create(company=rival.company, user=road.owner.user, joined_on=START)
    assert len(selectors.companies_of(user=road.owner.user)) == 2
    walker = window()
    walker.sign_in(road.owner.user.email, PASSWORD)
    page = walker.open("/c/acme/reports/today/")
    page.click("button[name=language][value=en]")
    page.wait_for_load_state()
    assert page.get_attribute("html", "lang") == "en"
    assert "Decisions" in page.inner_text("nav")
    page.click(".switch summary")
    assert "Rival" in page.inner_text(".switch")
