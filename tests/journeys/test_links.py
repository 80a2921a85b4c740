"""Every link that the sample shows to one of its people opens: no page breaks, nobody is offered what they may not see, and no figure made
of facts stands without its link."""

import re
from collections import Counter, deque
from datetime import UTC, datetime
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine

from mops import pipeline
from mops.demo import people, seed
from roles.models import Membership
from tests.unopened import unopened

FRIDAY = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
PEOPLE = ("owner", "cmo", "pm", "analyst", "performance", "contractor")
OF_ONE_SHAPE = 1
"""Pages that differ by numbers and values alone are one shape: the first stands for all."""
LINK = re.compile(r'href="([^"#]+)')
ELSEWHERE = re.compile(r"^(?!/)|^/static/|^/accounts/|^/api/")


NOT_OF_FACTS = {
    "": {"План", "К плану", "Прогноз", "12 нед.", "Плохих дней", "Ждёт вас", "Просрочено", "Приоритет"},
    "/reports/discipline/": {
        "Факт", "Тренд", "Действия сделаны", "До решения", "До действия", "Планы в срок", "Факты в срок", "с опозданием",
        "пропущен", "заполнено задним числом", "уважительно",
    },
    "/reports/weekly-reports/": {"К плану тогда"},
    "/decisions/account/": {"До подписи", "До дела", "Решения", "Ложные тревоги"},
    "/data-quality/": {"Дней с цифрами"},
    "/processes/independence/": {"Засчитано", "Индекс", "Очки", "Разница"},
    "/processes/risks/": {
        "Роли без заместителя", "Подписывает только он", "Под угрозой за неделю", "Открытые решения", "Открытые действия",
        "Доступы", "Делает только он за 90 дней",
    },
    "/roles/": {"Токены", "Станет", "Сейчас"},
    "/targets/": {"янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"},
    "/utm-rules/": {"Сделки", "Выиграно", "На сумму"},
    "/imports/": {"Новых", "Новых фактов", "Изменено", "Без изменений"},
}  # fmt: skip
"""Part of an address → headings of figures that are no sums of daily facts: plans, deeds, counts of what the page lists."""


def shape_of(path: str) -> str:
    parts = urlsplit(path)
    names = sorted(pair.partition("=")[0] for pair in parts.query.split("&"))
    return re.sub(r"\d+", "0", parts.path) + "?" + ",".join(names)


def walk(client, start: str) -> tuple[dict[str, int], dict[str, str]]:
    """Answers by path, of everything that can be reached from a page by links; and the pages."""
    answers, pages, shapes, queue = {}, {}, Counter(), deque([start])
    while queue:
        path = queue.popleft()
        if path in answers or ELSEWHERE.match(path) or shapes[shape_of(path)] >= OF_ONE_SHAPE:
            continue
        shapes[shape_of(path)] += 1
        response = client.get(path)
        answers[path] = response.status_code
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            pages[path] = response.content.decode()
            queue.extend(urljoin(path, unescape(link)) for link in LINK.findall(pages[path]))
        elif response.status_code in {301, 302}:
            queue.append(response["Location"])
    return answers, pages


@pytest.fixture
def sample(db):
    with time_machine.travel(FRIDAY, tick=False):
        company = seed.seed(now=FRIDAY)
        pipeline.run_company(company.pk, FRIDAY)
        yield company


def test_every_link_of_everybody_opens(sample, sign_in):
    seen = Counter()
    for code in PEOPLE:
        person = Membership.objects.get(company=sample, user__email=f"{code}@{people.DOMAIN}")
        answers, pages = walk(sign_in(person), "/companies/")
        assert {path: status for path, status in answers.items() if status not in {200, 302}} == {}, code
        seen[code] = len(answers)
        bare = {
            (path, name): figure for path, page in pages.items() for name, figure in unopened(page)
            if "/facts/?" not in path and not any(part in path and name in names for part, names in NOT_OF_FACTS.items())
        }  # fmt: skip
        assert bare == {}, code
    assert seen["cmo"] > 60
    assert seen["contractor"] < 40  # own tasks and briefs, and the settings of one's own
