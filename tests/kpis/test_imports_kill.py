"""A worker killed by `kill -9` in the middle of a load: a real process, a real database; nothing lost, nothing doubled."""

import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

DRIVER = """
import json, sys
from datetime import datetime
import django
django.setup()
from django.core.files.base import ContentFile
from kpis.models import DailyFact, Deal, DealRevision, Evaluation, FactRevision, Import
from kpis.selectors import imports as reads
from kpis.services import import_runs, imports, sources, utm_rules
from roles.models import AuditEvent, Campaign, Channel, Membership
from roles.tenancy import company_scope

step, company_id, moment = sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
with company_scope(company_id) as company:
    if step == "receive":
        person = Membership.objects.get(company=company, user__email="analyst@acme.example")
        rows = "".join(f"2026-11-{1 + n % 19:02d};vk;c-{n // 19};{n},5;{n}\\n" for n in range(19 * 200))
        upload = ContentFile(("date;channel;campaign;spend;leads\\n" + rows).encode(), name="a.csv")
        source = sources.ensure_source(company=company, code="ads", name="ads", kind="file")
        load = imports.receive_file(company=company, by=person, at=moment, source=source, upload=upload)
        reads.preview(company=company, load=load)
        imports.confirm_import(company=company, by=person, at=moment, load=load, mapping=load.mapping)
    if step == "receive deals":
        person = Membership.objects.get(company=company, user__email="analyst@acme.example")
        head = "ID;Бюджет;Дата создания сделки;Дата закрытия;Этап сделки;utm_source;utm_campaign\\n"
        rows = "".join(f"{n};1000;{1 + n % 19:02d}.11.2026;не закрыта;Первичный контакт;vk;c-{n % 7}\\n" for n in range(2500))
        source = sources.ensure_source(company=company, code="crm", name="crm", kind="file")
        load = imports.receive_file(
            company=company, by=person, at=moment, source=source, upload=ContentFile((head + rows).encode(), name="d.csv")
        )
        imports.confirm_import(company=company, by=person, at=moment, load=load, mapping=load.mapping)
    if step == "rule":
        channel = Channel.objects.get(company=company, code="vk")
        utm_rules.save_rule(company=company, by=None, at=moment, channel=channel, utm_source="vk")
    if step == "run":
        import_runs.run_due_imports(company=company, at=moment)
    load = Import.objects.filter(company=company).order_by("pk").last()
    print(json.dumps({
        "loads": Import.objects.count(), **({"state": load.state, "attempts": load.attempts, "created": load.created} if load else {}),
        "facts": DailyFact.objects.count(), "revisions": FactRevision.objects.count(),
        "campaigns": Campaign.objects.count(), "orders": Evaluation.objects.count(),
        "done": AuditEvent.objects.filter(verb="run_import").count(),
    } | ({"deals": Deal.objects.count(), "told": DealRevision.objects.count()} if "deals" in sys.argv[4:] else {})))
"""
NOTHING = {"facts": 0, "revisions": 0, "campaigns": 0, "orders": 0, "created": 0, "done": 0}
ALL = {"facts": 3800, "revisions": 3800, "campaigns": 200, "orders": 1, "created": 3800, "done": 1}


@pytest.fixture
def worker(acme, tmp_path):
    """Runs a step in a process of its own on this test's database (SQLite: on a copy of it in a file)."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "mops.settings", "MOPS_VAR": str(tmp_path), "LOG_LEVEL": "ERROR"}
    (tmp_path / "broker" / "queue").mkdir(parents=True)
    if connection.vendor == "postgresql":
        given = settings.DATABASES["default"]
        password = f":{given['PASSWORD']}" if given["PASSWORD"] else ""
        env["DATABASE_URL"] = (
            f"postgres://{given['USER']}{password}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
        )
    else:
        env.pop("DATABASE_URL", None)
        connection.ensure_connection()
        copy = sqlite3.connect(tmp_path / "mops.sqlite3")
        connection.connection.backup(copy)
        copy.close()

    def run(step: str, moment: str, fail_at: str = "", also: str = "") -> tuple[int, dict]:
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, step, str(acme.company.pk), moment, also], capture_output=True, text=True,
            cwd=settings.BASE_DIR, env={**env, "FAIL_AT": fail_at}, timeout=120,
        )  # fmt: skip
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        return done.returncode, json.loads(done.stdout) if done.returncode == 0 else {}

    return run


@pytest.mark.django_db(transaction=True)
def test_a_load_killed_at_any_moment_is_all_or_nothing_and_is_completed(worker):
    _code, queued = worker("receive", "2026-11-20T09:00:00+00:00")
    assert queued == {"loads": 1, "state": "queued", "attempts": 0, **NOTHING}

    for number, place in enumerate(("import.staging", "import.before_commit")):
        code, _nothing = worker("run", f"2026-11-20T09:0{number}:00+00:00", fail_at=place)
        assert code == -signal.SIGKILL
        _code, left = worker("look", "2026-11-20T09:00:00+00:00")
        assert left == {"loads": 1, "state": "queued", "attempts": number + 1, **NOTHING}

    _code, leased = worker("run", "2026-11-20T09:01:30+00:00")
    assert leased["state"] == "queued", "the dead worker's lease still holds"
    _code, done = worker("run", "2026-11-20T09:02:00+00:00")
    assert done == {"loads": 1, "state": "done", "attempts": 3, **ALL}
    _code, again = worker("run", "2026-11-20T09:05:00+00:00")
    assert again == done


@pytest.mark.django_db(transaction=True)
def test_an_upload_or_a_preview_killed_is_taken_up_by_sending_the_file_again(worker):
    """The file is stored before its load, and the load before its word: what is left is nothing, or one load that waits."""
    code, _nothing = worker("receive", "2026-11-20T09:00:00+00:00", fail_at="upload.kept")
    _code, left = worker("look", "2026-11-20T09:00:00+00:00")
    assert (code, left["loads"], left["facts"]) == (-signal.SIGKILL, 0, 0)

    code, _nothing = worker("receive", "2026-11-20T09:01:00+00:00", fail_at="import.before_confirm")
    _code, left = worker("look", "2026-11-20T09:01:00+00:00")
    assert (code, left) == (-signal.SIGKILL, {"loads": 1, "state": "preview", "attempts": 0, **NOTHING})

    _code, queued = worker("receive", "2026-11-20T09:02:00+00:00")
    assert queued == {"loads": 1, "state": "queued", "attempts": 0, **NOTHING}
    code, _nothing = worker("run", "2026-11-20T09:02:00+00:00", fail_at="import.after_copy")
    _code, done = worker("run", "2026-11-20T09:04:00+00:00")
    assert (code, done) == (-signal.SIGKILL, {"loads": 1, "state": "done", "attempts": 2, **ALL})


@pytest.mark.django_db(transaction=True)
def test_a_load_of_deals_and_a_recount_killed_at_any_moment_are_completed_once(worker):
    def look() -> dict:
        found = worker("look", "2026-11-20T09:00:00+00:00", also="deals")[1]
        return {name: found[name] for name in ("state", "deals", "told", "facts", "campaigns", "done")}

    def die(moment: str, place: str) -> None:
        assert worker("run", f"2026-11-20T{moment}:00+00:00", fail_at=place)[0] == -signal.SIGKILL

    worker("receive deals", "2026-11-20T09:00:00+00:00")
    nothing = {"state": "queued", "deals": 0, "told": 0, "facts": 0, "campaigns": 0, "done": 0}
    for moment, place in (("09:00", "import.after_copy"), ("09:01", "import.before_commit")):
        die(moment, place)
        assert look() == nothing
    worker("run", "2026-11-20T09:02:00+00:00")
    loaded = {"state": "done", "deals": 2500, "told": 2500, "facts": 0, "campaigns": 0, "done": 1}
    assert look() == loaded, "no rule yet: the deals belong to no channel"

    worker("rule", "2026-11-20T10:00:00+00:00")
    for moment, place in (("10:00", "recount.batch"), ("10:01", "recount.before_commit")):
        die(moment, place)
        assert look() | {"campaigns": 0} == loaded | {"state": "queued"}, "no fact before all of them"
    worker("run", "2026-11-20T10:02:00+00:00")
    counted = loaded | {"facts": 133, "campaigns": 7, "done": 2}
    assert look() == counted
    worker("run", "2026-11-20T10:05:00+00:00")
    assert look() == counted
