"""Chromium on the live server: every page is looked at for CSP violations, script errors, third-party requests and axe findings."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the thread of the test
CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
SHOTS = Path(os.environ["E2E_SHOTS"]) if "E2E_SHOTS" in os.environ else None
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
REFUSED = re.compile(r"status of 4|Status Error Code 4")
"""A refusal is an answer: the browser and HTMX each write a line about it."""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    """A browser that hangs or dies is started up to twice more; a fault of ours fails every time and is reported."""
    for item in items:
        if "e2e" in Path(item.fspath).parts:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.flaky(reruns=2))


class Walker:
    """A person at a window: opens pages and keeps what went wrong on the way."""

    def __init__(self, page, base: str):
        self.page, self.base, self.faults = page, base, []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", self._request)

    def _console(self, message):
        if message.type == "error" and not REFUSED.search(message.text):
            self.faults.append(f"console: {message.text}")

    def _request(self, request):
        if urlsplit(request.url).netloc != urlsplit(self.base).netloc:
            self.faults.append(f"third party: {request.url}")

    def open(self, path: str):
        response = self.page.goto(self.base + path)
        assert response.status == 200, f"{path}: {response.status}"
        return self.page

    def sign_in(self, email: str, password: str):
        self.page.goto(self.base + "/accounts/login/")
        self.page.fill("[name=login]", email)
        self.page.fill("[name=password]", password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_load_state()
        assert "/accounts/login" not in self.page.url, self.page.inner_text("main")

    def close(self):
        """Let the browser free what the windows of a long walk hold."""
        self.page.context.close()

    def check(self, name: str):
        """Axe, sideways scroll and a screenshot (kept when E2E_SHOTS names a folder)."""
        from axe_playwright_python.sync_playwright import Axe

        self.page.wait_for_load_state()  # the page behind a link that was just followed may not have a document yet
        if SHOTS:
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if width > 0:
            self.faults.append(f"{name}: scrolls sideways by {width} px")
        # The phone's bar covers what lies under it; in a window as tall as the page it covers nothing.
        size = self.page.viewport_size
        height = self.page.evaluate("document.documentElement.scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": max(size["height"], height + 100)})
        found = Axe().run(self.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        for violation in found.response["violations"]:
            nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
            self.faults.append(f"{name}: axe {violation['id']}: {nodes}")
        self.page.set_viewport_size(size)


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "Chromium is not installed: apt-get install chromium (.ci/run does it)."
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium, live_server):
    """`window(PHONE, javascript=False, dark=True)` → Walker; at the end of the test no window may have a fault."""
    contexts, walkers = [], []

    def make(size=None, javascript=True, dark=False) -> Walker:
        context = chromium.new_context(
            viewport=size or DESKTOP, locale="ru-RU", java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(30_000)
        contexts.append(context)
        walkers.append(Walker(context.new_page(), live_server.url))
        return walkers[-1]

    yield make
    for context in contexts:
        context.close()
    assert [fault for walker in walkers for fault in walker.faults] == []
