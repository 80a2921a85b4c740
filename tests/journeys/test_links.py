"""Every link that the sample shows to one of its people opens: no page breaks, and nobody is offered what they may not see."""

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

FRIDAY = datetime(2026, 11, 20, 12, 20, tzinfo=UTC)
PEOPLE = ("owner", "cmo", "pm", "analyst", "performance", "contractor")
OF_ONE_SHAPE = 1
"""Pages that differ by numbers and values alone are one shape: the first stands for all."""
LINK = re.compile(r'href="([^"#]+)')
ELSEWHERE = re.compile(r"^(?!/)|^/static/|^/accounts/|^/api/")


def shape_of(path: str) -> str:
    parts = urlsplit(path)
    names = sorted(pair.partition("=")[0] for pair in parts.query.split("&"))
    return re.sub(r"\d+", "0", parts.path) + "?" + ",".join(names)


def walk(client, start: str) -> dict[str, int]:
    """Answers by path, of everything that can be reached from a page by links."""
    answers, shapes, queue = {}, Counter(), deque([start])
    while queue:
        path = queue.popleft()
        if path in answers or ELSEWHERE.match(path) or shapes[shape_of(path)] >= OF_ONE_SHAPE:
            continue
        shapes[shape_of(path)] += 1
        response = client.get(path)
        answers[path] = response.status_code
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            queue.extend(urljoin(path, unescape(link)) for link in LINK.findall(response.content.decode()))
        elif response.status_code in {301, 302}:
            queue.append(response["Location"])
    return answers


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
        answers = walk(sign_in(person), "/companies/")
        assert {path: status for path, status in answers.items() if status not in {200, 302}} == {}, code
        seen[code] = len(answers)
    assert seen["cmo"] > 60
    assert seen["contractor"] < 40  # own tasks and briefs, and the settings of one's own
