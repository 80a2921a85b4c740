"""What `manage.py up` does before the processes run: migrations, caches, translations, static files, broker, sample data."""

import hashlib
import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands

from mops import translations
from mops.demo.people import DOMAIN, PASSWORD, SHOWN_LOGINS
from mops.supervisor import Child
from roles.models import Company

HOST = "127.0.0.1"
FINGERPRINT = "fingerprint.txt"
Say = Callable[[str], None]


def port_is_free(port: int) -> bool:
    """Can the web server listen there? Asked before anything else, so that the answer is a sentence and not a traceback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def prepare(*, demo: bool, say: Say) -> None:
    """Everything that must be true before the first request; each step is quick when there is nothing to do."""
    for path in translations.compile_all():
        say(f"translations: {path.relative_to(settings.BASE_DIR)}")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    if collect_static():
        say("static files collected")
    if not settings.REDIS_URL:
        clean_broker(settings.BROKER_DIR)
    if demo:
        fill_demo(say)


def fill_demo(say: Say) -> None:
    """The sample companies on a database without any company; where they are, their figures up to yesterday."""
    if "seed_demo" not in get_commands():
        return
    if not Company.objects.exists():
        say("filling the sample companies, this takes about a minute")
        call_command("seed_demo")
    elif Company.objects.filter(is_sample=True, slug=DOMAIN.partition(".")[0]).exists():
        call_command("seed_demo")


def clean_broker(folder: Path) -> None:
    """Empty folders for the embedded broker: what a killed run left is only a wake-up, the work itself is in the database."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("queue", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def collect_static() -> bool:
    """Collect only when a source file was added, removed or changed since the last time; True when it did."""
    mark, wanted = settings.STATIC_ROOT / FINGERPRINT, static_fingerprint()
    if mark.exists() and mark.read_text() == wanted:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(wanted)
    return True


def static_fingerprint() -> str:
    """SHA-256 over name, size and time of every static source."""
    made = hashlib.sha256(str(settings.STATIC_URL).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            about = os.stat(storage.path(name))
            made.update(f"{name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return made.hexdigest()


# ------------------------------------------------------------------ processes
def children(port: int) -> list[Child]:
    """Web, scheduler and worker. The worker is asked to end last, when nothing gives it new work any more."""
    env = {"PORT": str(port), "PYTHONUNBUFFERED": "1"}
    celery = [sys.executable, "-m", "celery", "-A", "mops", "--quiet"]
    return [
        Child("web", web_command(port), stage=1, env=env),
        Child("beat", [*celery, "beat", "--loglevel=WARNING", "--pidfile=", f"--schedule={_schedule()}"], stage=1, env=env),
        Child("worker", [*celery, *worker_arguments()], stage=2, env=env),
    ]  # fmt: skip


def web_command(port: int) -> list[str]:
    workers = os.environ.get("WEB_WORKERS") or str(min(4, max(2, os.cpu_count() or 2)))
    threads = os.environ.get("WEB_THREADS") or "4"
    command = [
        sys.executable, "-m", "gunicorn", "mops.wsgi", f"--bind={HOST}:{port}", "--worker-class=gthread",
        f"--workers={workers}", f"--threads={threads}", "--timeout=60", "--graceful-timeout=15", "--log-level=warning", "--preload",
    ]  # fmt: skip
    if _knows_control_socket():
        command.append("--no-control-socket")
    if Path("/dev/shm").is_dir():
        command.append("--worker-tmp-dir=/dev/shm")
    return command


def worker_arguments() -> list[str]:
    concurrency = os.environ.get("WORKER_CONCURRENCY") or "2"
    return [
        "worker", "--loglevel=WARNING", f"--concurrency={concurrency}", "--without-gossip", "--without-mingle",
        "--without-heartbeat",
    ]  # fmt: skip


def _schedule() -> Path:
    """Beat's own notes under var/: made anew at each start, because a killed beat may leave them torn."""
    folder = settings.VAR_DIR / "beat"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder / "schedule"


def _knows_control_socket() -> bool:
    """Newer gunicorns open a control socket in the home folder unless told not to; older ones refuse the option."""
    from gunicorn.config import KNOWN_SETTINGS

    return any("--no-control-socket" in (setting.cli or ()) for setting in KNOWN_SETTINGS)


def web_answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=1) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def greeting(port: int, logins: bool) -> str:
    """The address and, with the sample company, who may sign in."""
    lines = ["", f"MOPS: http://{HOST}:{port}", ""]
    if logins:
        lines += ["Sample logins, password " + PASSWORD + ":", *(f"  {code}@{DOMAIN}" for code in SHOWN_LOGINS), ""]
    return "\n".join([*lines, "Ctrl-C ends it."])
