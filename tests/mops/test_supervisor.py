"""The supervisor with small stand-ins for web and worker: real processes, real signals."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from django.conf import settings

from mops.supervisor import LONGEST_PAUSE, Child

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")

PARENT = """
import os, sys
sys.path.insert(0, {root!r})
from mops.supervisor import Child, Supervisor
folder = {folder!r}
child = "import os, signal, subprocess, sys, time\\n"
polite = child + '''
def end(*_):
    time.sleep(float(sys.argv[2])); open(f"{{sys.argv[1]}}.ended", "w").write(str(time.time())); sys.exit()
signal.signal(signal.SIGTERM, end)
grandchild = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
open(f"{{sys.argv[1]}}.pids", "a").write(f"{{os.getpid()}} {{grandchild.pid}}\\\\n")
while True: time.sleep(0.05)
'''
def make(name, stage, seconds):
    return Child(name, [sys.executable, "-S", "-c", polite, f"{{folder}}/{{name}}", str(seconds)], stage=stage)
Supervisor([make("web", 1, 0.3), make("worker", 2, {finish})], ready=lambda: True,
           greet=lambda: print("greeted", flush=True), parent={parent}).run()
"""


class Run:
    """A supervisor with two children, each with a grandchild."""

    def __init__(self, folder: Path, finish: float, parent: str):
        self.folder = folder
        code = textwrap.dedent(PARENT).format(
            root=str(settings.BASE_DIR), folder=str(folder), finish=finish, parent=parent
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def pids(self, name: str, starts: int = 1) -> list[int]:
        """Ids of a child and its grandchild at its n-th start, as soon as they are known."""
        path = self.folder / f"{name}.pids"
        lines = wait_for(
            lambda: path.exists() and path.read_text().count("\n") >= starts and path.read_text().splitlines()
        )
        return [int(pid) for pid in lines[starts - 1].split()]

    def all_pids(self) -> list[int]:
        return [*self.pids("web"), *self.pids("worker")]

    def ended(self, name: str) -> float:
        return float((self.folder / f"{name}.ended").read_text())


def wait_for(found, seconds: float = 8):
    """The first true answer; fails when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.03)
    raise AssertionError(f"nothing in {seconds} s")


def alive(pid: int) -> bool:
    """Running, and not a zombie that its reaper has not looked at."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def all_gone(pids: list[int]) -> bool:
    return not any(alive(pid) for pid in pids)


@pytest.fixture
def run(tmp_path):
    runs = []

    def start(finish: float = 0.1, parent: str = "None") -> Run:
        runs.append(Run(tmp_path, finish, parent))
        return runs[-1]

    yield start
    for started in runs:
        if started.process.poll() is None:
            started.process.send_signal(signal.SIGINT)
            started.process.send_signal(signal.SIGINT)
            started.process.wait(timeout=10)
        started.process.stdout.close()


def test_kill_9_of_the_parent_leaves_no_process(run):
    started = run()
    pids = started.all_pids()

    started.process.kill()
    started.process.wait()

    wait_for(lambda: all_gone(pids))


def test_first_signal_lets_the_worker_finish_after_the_web_has_ended(run):
    started = run(finish=1.0)
    pids = started.all_pids()

    started.process.send_signal(signal.SIGTERM)

    assert started.process.wait(timeout=10) == 0
    assert all_gone(pids)
    assert started.ended("worker") > started.ended("web") + 0.9


def test_second_signal_kills(run):
    started = run(finish=60)
    pids = started.all_pids()
    started.process.send_signal(signal.SIGINT)
    wait_for(lambda: (started.folder / "web.ended").exists())

    started.process.send_signal(signal.SIGINT)

    assert started.process.wait(timeout=5) == 0
    assert all_gone(pids)
    assert not (started.folder / "worker.ended").exists()


def test_killed_child_starts_again_and_its_own_children_are_gone(run):
    started = run()
    worker, grandchild = started.pids("worker")

    os.kill(worker, signal.SIGKILL)

    again = started.pids("worker", starts=2)
    assert all_gone([worker, grandchild])
    assert alive(again[0])


def test_killed_warden_is_replaced(run):
    started = run()
    pids = started.all_pids()
    warden = wait_for(lambda: _warden_of(started.process.pid))
    os.kill(warden, signal.SIGKILL)
    wait_for(lambda: (_warden_of(started.process.pid) or warden) != warden)
    time.sleep(0.3)  # it is told whom to watch right after its start

    started.process.kill()
    started.process.wait()

    wait_for(lambda: all_gone(pids))


def _warden_of(parent: int) -> int | None:
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_text() if entry.name.isdigit() else ""
            if "warden.py" in command and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                return int(entry.name) if alive(int(entry.name)) else None
        except OSError:
            continue
    return None


def test_ends_with_its_parent_when_told_so(run):
    started = run(parent="1")  # somebody else's id: as if the parent had died and another had adopted us
    pids = started.pids("web") if (started.folder / "web.pids").exists() else []

    assert started.process.wait(timeout=10) == 0
    assert all_gone(pids)


@pytest.mark.parametrize(("falls", "seconds"), [(1, 0.5), (2, 1), (4, 4), (50, LONGEST_PAUSE)])
def test_falling_child_waits_longer_each_time(falls, seconds):
    assert Child("web", [], falls=falls).pause() == seconds
