"""Keeps the processes of `manage.py up` running: restarts what dies, ends all of them together, leaves nothing behind.

Every child leads a process group of its own, so Ctrl-C in the terminal reaches the supervisor alone and the order of
the end is its to choose. kill -9 of the supervisor is covered twice: the kernel kills each child (Linux, PDEATHSIG),
and the warden kills their whole groups on any system.
"""

import ctypes
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger("mops.up")
WARDEN = Path(__file__).with_name("warden.py")
PR_SET_PDEATHSIG = 1
STEADY = 30.0
"""Seconds after which a child counts as healthy again and its next fall is forgiven quickly."""
LONGEST_PAUSE = 30.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Child:
    """One process to keep alive. `stage`: at the end, children of a lower stage have gone before the next is asked."""

    name: str
    argv: list[str]
    stage: int = 1
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None
    started: float = 0.0
    falls: int = 0
    due: float = 0.0

    @property
    def running(self) -> bool:
        return self.process is not None

    def pause(self) -> float:
        """Seconds to wait before the next start: 0.5, 1, 2, … up to half a minute while it keeps falling."""
        return min(LONGEST_PAUSE, 0.5 * 2 ** (self.falls - 1))


def die_with_parent(parent: int) -> Callable[[], None]:
    """What the child does between fork and exec: asks the kernel (Linux) to kill it when its parent dies."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None

    def prepare() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return prepare


class Supervisor:
    """Runs the children until a stop signal. `ready` is polled until it is true, then `greet` is called, once.

    `parent`: a process whose end is a stop signal too (make, which cannot tell us that it was killed).
    """

    def __init__(
        self, children: list[Child], ready: Callable[[], bool], greet: Callable[[], None], parent: int | None = None
    ):
        self.children, self.ready, self.greet, self.parent = children, ready, greet, parent
        self.stops = 0
        self.greeted = False
        self.warden: subprocess.Popen | None = None
        self.wake_reader, self.wake_writer = os.pipe()
        for end in (self.wake_reader, self.wake_writer):
            os.set_blocking(end, False)

    def run(self) -> None:
        """Start all, watch them, and return when every one has ended after a stop signal."""
        signal.set_wakeup_fd(self.wake_writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOP_SIGNALS:
            signal.signal(number, self._count_stop)
        self._start_warden()
        try:
            while not self.stops:
                self._look_after()
                self._wait(0.25 if not self.greeted else 1.0)
            self._stop()
        finally:
            self._kill_all()
            self._tell_warden("bye")

    def _count_stop(self, number, frame) -> None:
        self.stops += 1

    def _wait(self, seconds: float) -> None:
        if select.select([self.wake_reader], [], [], seconds)[0]:
            os.read(self.wake_reader, 4096)

    # ------------------------------------------------------------ life
    def _look_after(self) -> None:
        now = time.monotonic()
        if self.parent is not None and os.getppid() != self.parent:
            self.stops += 1
            return
        if self.warden.poll() is not None:
            self._start_warden()
        for child in self.children:
            if child.running and self._has_ended(child):
                code = self._bury(child)
                child.falls = 1 if now - child.started > STEADY else child.falls + 1
                child.due = now + child.pause()
                log.warning("%s ended (%s); it starts again in %.1f s", child.name, code, child.pause())
            if not child.running and now >= child.due:
                self._start(child)
        if not self.greeted and self.ready():
            self.greeted = True
            self.greet()

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(
            child.argv, env={**os.environ, **child.env}, stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),
        )  # fmt: skip
        child.started = time.monotonic()
        self._tell_warden(f"+{child.process.pid}")

    @staticmethod
    def _has_ended(child: Child) -> bool:
        """Has it ended? It is not reaped yet, so that its group's number cannot go to somebody else."""
        return os.waitid(os.P_PID, child.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _bury(self, child: Child) -> int:
        """Kill what the dead child left of its group, reap it, and return its exit code."""
        group = child.process.pid
        _kill_group(group, signal.SIGKILL)
        code = child.process.wait()
        self._tell_warden(f"-{group}")
        child.process = None
        return code

    # ------------------------------------------------------------ end
    def _stop(self) -> None:
        """Stage by stage: ask to end and wait as long as it takes, until a second signal."""
        log.info("stopping; a running task may finish (press Ctrl-C again to kill it)")
        for stage in sorted({child.stage for child in self.children}):
            asked = [child for child in self.children if child.stage == stage and child.running]
            for child in asked:
                child.process.terminate()
            while self.stops < 2 and (asked := [c for c in asked if not self._ended_and_buried(c)]):
                self._wait(0.5)

    def _ended_and_buried(self, child: Child) -> bool:
        if not self._has_ended(child):
            return False
        self._bury(child)
        return True

    def _kill_all(self) -> None:
        for child in self.children:
            if child.running:
                _kill_group(child.process.pid, signal.SIGKILL)
                self._bury(child)

    # ------------------------------------------------------------ the warden
    def _start_warden(self) -> None:
        self.warden = subprocess.Popen(
            [sys.executable, "-S", "-E", str(WARDEN)], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        for child in self.children:
            if child.running:
                self._tell_warden(f"+{child.process.pid}")

    def _tell_warden(self, word: str) -> None:
        try:
            self.warden.stdin.write(word + "\n")
            self.warden.stdin.flush()
        except (BrokenPipeError, ValueError):
            log.warning("the warden is gone; a new one starts")


def _kill_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
