"""`manage.py up` as people run it: real gunicorn, worker and beat, killed in real ways. One start serves several tests."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from mops import starting
from tests.mops.test_supervisor import alive, all_gone, wait_for

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")


class Running:
    """`manage.py up` in a process of its own, its output collected."""

    def __init__(self, folder: Path, environment: dict):
        self.port = free_port()
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(self.port), "--no-demo"], cwd=settings.BASE_DIR,
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_until_ready(self) -> float:
        """Seconds of processor that it took until the address was printed: wall time would measure the neighbours."""
        wait_for(lambda: f"http://127.0.0.1:{self.port}" in self.output or self.process.poll() is not None, seconds=180)
        assert self.process.poll() is None, self.output
        return sum(cpu_seconds(pid) for pid in [self.process.pid, *self.children()])

    def children(self, word: str = "") -> list[int]:
        """Ids of all descendants whose command line has the word."""
        return [pid for pid in descendants(self.process.pid) if word in command_of(pid)]

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.status


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def descendants(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, level = [], [root]
    while level := [pid for pid, parent in parents.items() if parent in level]:
        found += level
    return found


def cpu_seconds(pid: int) -> float:
    """Of a process and its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@pytest.fixture(scope="module")
def environment(tmp_path_factory, django_db_setup, django_db_blocker):
    """The real settings with a folder of their own; on PostgreSQL the database of the tests, so that nothing else is touched."""
    made = {name: value for name, value in os.environ.items() if name not in {"DJANGO_SETTINGS_MODULE", "SECRET_KEY"}}
    made |= {
        "MOPS_VAR": str(tmp_path_factory.mktemp("var")),
        "WEB_WORKERS": "1",
        "WORKER_CONCURRENCY": "1",
        "SWEEP_SECONDS": "1",
    }
    if settings.DATABASE_URL:
        name = settings.DATABASES["default"]["NAME"]
        made["DATABASE_URL"] = re.sub(r"/[^/]*$", f"/{name}", settings.DATABASE_URL)
    return made


@pytest.fixture(scope="module")
def running(environment):
    started = Running(None, environment)
    started.wait_until_ready()
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def test_serves_and_names_its_address(running):
    assert running.get("/healthz") == 200
    assert running.get("/accounts/login/") == 200
    assert running.children("gunicorn")
    assert running.children("beat")
    assert running.children("worker")


def test_taken_port_is_said_in_a_sentence(running):
    with pytest.raises(CommandError, match=rf"Port {running.port} is taken.*make run PORT="):
        call_command("up", port=running.port)


def test_killed_worker_comes_back(running):
    before = set(running.children("celery -A mops --quiet worker"))
    for pid in before:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)

    wait_for(lambda: set(running.children("celery -A mops --quiet worker")) - before, seconds=10)


def test_sweeps_happen(running, environment):
    def healthy() -> bool:
        command = [sys.executable, "manage.py", "healthy"]
        return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True).returncode == 0

    wait_for(healthy, seconds=25)


def test_kill_9_leaves_no_process_and_the_second_start_is_quick(running, environment):
    everybody = running.children()
    assert len(everybody) >= 5

    running.process.kill()
    running.process.wait()

    wait_for(lambda: all_gone(everybody), seconds=10)
    again = Running(None, environment)
    assert again.wait_until_ready() < 30  # ten on an idle machine; here the rest of the suite runs beside it
    everybody = again.children()
    again.process.send_signal(signal.SIGINT)
    assert again.process.wait(timeout=20) == 0
    assert all_gone(everybody)


# ------------------------------------------------------------------ preparation
def test_static_files_are_collected_once_and_again_after_a_change(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path / "static")
    monkeypatch.setattr(starting, "call_command", lambda name, **options: calls.append(name))

    assert [starting.collect_static(), starting.collect_static()] == [True, False]
    monkeypatch.setattr(starting, "static_fingerprint", lambda: "another")
    assert starting.collect_static() is True
    assert calls == ["collectstatic", "collectstatic"]


def test_broker_is_emptied(tmp_path):
    left = tmp_path / "queue" / "left.msg"
    left.parent.mkdir()
    left.write_text("x")

    starting.clean_broker(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["control", "queue"]
    assert not left.exists()


@pytest.fixture
def seeded(monkeypatch):
    calls = []
    monkeypatch.setattr(starting, "call_command", calls.append)
    return calls


def test_sample_is_filled_into_an_empty_database(db, seeded):
    starting.fill_demo(lambda line: None)

    assert seeded == ["seed_demo"]


@pytest.mark.parametrize(("slug", "is_sample", "calls"), [
    ("veresk", True, ["seed_demo"]), ("veresk", False, []), ("acme", False, []),
])  # fmt: skip
def test_later_start_only_tops_up_the_sample(acme, seeded, slug, is_sample, calls):
    acme.company.slug, acme.company.is_sample = slug, is_sample
    acme.company.save()

    starting.fill_demo(lambda line: None)

    assert seeded == calls


def test_greeting_lists_the_logins():
    text = starting.greeting(8000, logins=True)

    assert "http://127.0.0.1:8000" in text
    assert "owner@veresk.example" in text
    assert "demo-veresk" in text
    assert "veresk" not in starting.greeting(8000, logins=False)


def test_old_gunicorn_is_not_given_an_option_it_does_not_know(monkeypatch):
    monkeypatch.setattr("gunicorn.config.KNOWN_SETTINGS", [])

    assert "--no-control-socket" not in starting.web_command(8000)
