"""Every figure of a page opens to facts that give that very figure."""

import html
import re
from datetime import UTC, date, datetime
from urllib.parse import unquote

import pytest
import time_machine

from roles.models import Channel
from tests.reports.conftest import MONDAY, Desk
from tests.unopened import unopened

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 23)
WEEK = "week=2026-W47"
LINK = re.compile(r'<a class="src[^"]*" href="([^"]*/facts/\?[^"]+)">(.*?)</a>', re.DOTALL)
FIGURES = {
    "reports/dashboard/": {"", "vk", "ads", "blog", "kind:paid"},
    f"reports/dashboard/?{WEEK}": {"", "vk", "ads", "blog", "kind:paid"},
    f"reports/week-summary/?{WEEK}": {"", "vk", "ads", "blog"},
    f"reports/stand-up/?{WEEK}": {"", "vk", "ads", "blog"},
    "reports/channels/": {"vk", "ads", "blog"},
    "reports/channels/vk/": {"vk"},
}


@pytest.fixture(autouse=True)
def _tuesday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def november(lab, acme):
    ads = Channel.objects.create(
        company=acme.company, code="ads", name="Директ", kind="paid", status="active", owner=acme.performance
    )
    for channel, step in ((acme.vk, 1000), (ads, 700), (acme.blog, 300)):
        lab.facts(
            channel, FIRST, LAST, spend=step, gross_profit=3 * step + 55, revenue=5 * step, leads=step // 100 + 1,
            qualified_leads=step // 200 + 1, deals=2, new_customers=1, visits=step,
        )  # fmt: skip
    lab.target("spend", 30_000, acme.vk)
    lab.target("gross_profit", 90_000, acme.vk)
    lab.target("leads", 300, acme.vk)
    Desk(acme).run("thu", 12)
    return acme


def plain(text: str) -> str:
    """Without tags and hard spaces."""
    return html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\u00a0", " ").strip()


def number(figure: str) -> float:
    """Of `−1 234,5 ₽`, `12 %` or `договоров: 5 × 1 234 ₽`; a loss is written without its sign where words say that it is one."""
    figure = figure.rpartition("× ")[2]
    return float(figure.rstrip(" ₽%").lstrip("−+").replace(" ", "").replace(",", "."))


def opened(browser, path: str) -> list[tuple[str, str]]:
    """The figures of a page with their addresses; those written short (`2,31 млн ₽`) are left out."""
    response = browser.get(f"/c/acme/{path}")
    assert response.status_code == 200
    found = [(html.unescape(url), plain(text)) for url, text in LINK.findall(response.content.decode())]
    return [(url, figure) for url, figure in found if not re.search("тыс|млн", figure)]


@pytest.mark.parametrize("path", FIGURES)
def test_every_figure_opens_to_facts_that_give_it(november, sign_in, path):
    browser = sign_in(november.owner)
    figures = opened(browser, path)

    scopes = {match[1] if (match := re.search(r"channel=([\w:]+)", unquote(url))) else "" for url, _figure in figures}
    assert scopes == FIGURES[path]
    for url, figure in figures:
        page = browser.get(url).content.decode()
        said = plain(re.search(r'<p class="measure">(.*?)</p>', page)[1])
        value = said.rpartition("= ")[2]
        is_part = figure in said  # «Валовая прибыль … минус расход …» opens to the formula with both sums
        assert is_part or number(value) == pytest.approx(number(figure), abs=0.5), (
            url,
            value,
            figure,
        )  # rounded in tables


PLANS = {"План", "К плану", "Plan", "To plan"}


@pytest.mark.parametrize("path", FIGURES)
def test_no_figure_but_a_plan_stands_without_its_link(november, sign_in, path):
    content = sign_in(november.owner).get(f"/c/acme/{path}").content.decode()

    assert content.count('class="src') > 5
    assert [(name, figure) for name, figure in unopened(content) if name not in PLANS] == []


def test_figures_of_a_report_open_for_its_author(november, sign_in):
    report = f"reports/weekly-reports/{november.vk.weekly_reports.get(week=MONDAY).pk}/"

    figures = opened(sign_in(november.performance), report)

    assert {re.search("(?:metric|kpi)=([a-z_]+)", url)[1] for url, _figure in figures} >= {"spend", "leads"}
    assert all("channel=vk&from=2026-11-16&to=2026-11-22" in url for url, _figure in figures)


def test_own_figures_of_today_open(november, sign_in):
    figures = opened(sign_in(november.performance), "reports/today/")

    assert "channel=vk" in {part for url, _figure in figures for part in url.split("&")}
