"""Loads at once: on PostgreSQL, because SQLite lets one writer in at a time and hides races."""

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from kpis.models import DailyFact, FactRevision, Import
from kpis.services import import_runs, imports
from kpis.services.facts import record_facts
from kpis.services.sources import ensure_source
from roles.models import AuditEvent
from tests.races import at_once

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
]


def test_two_loads_of_one_source_leave_a_whole_history(acme):
    def sender(spend):
        rows = [{"channel": "vk", "campaign": f"c{n}", "date": "2026-11-16", "spend": spend} for n in range(50)]
        return lambda: record_facts(company=acme.company, by=acme.analyst, at=NOW, source_code="crm", rows=rows)

    for turn in range(5):
        answers = at_once(sender(turn * 10 + 1), sender(turn * 10 + 2), sender(turn * 10 + 3))
        assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert DailyFact.objects.count() == 50
    # Every change left the row of the load before it: the chain of loads has no gap and no fork.
    for campaign in DailyFact.objects.values_list("campaign_id", flat=True)[:5]:
        chain = list(FactRevision.objects.filter(campaign_id=campaign).values_list("previous_load_id", "load_id"))
        assert len({before for before, _after in chain}) == len(chain)
        assert sum(before is None for before, _after in chain) == 1


def test_two_workers_run_one_load_once(acme):
    content = "date;channel;spend\n" + "".join(f"2026-11-{day:02d};vk;{day}\n" for day in range(1, 20))
    source = ensure_source(company=acme.company, code="ads", name="ads", kind="file")
    for turn in range(5):
        upload = SimpleUploadedFile("a.csv", f"{content}2026-10-0{turn + 1};vk;{turn}\n".encode())
        load = imports.receive_file(company=acme.company, by=acme.analyst, at=NOW, source=source, upload=upload)
        imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)

        finished = at_once(*[lambda: import_runs.run_due_imports(company=acme.company, at=NOW)] * 3)

        assert sorted(finished) == [0, 0, 1]
    assert set(Import.objects.values_list("state", "attempts")) == {("done", 1)}
    assert AuditEvent.objects.filter(verb="run_import").count() == 5


def test_the_same_file_received_twice_at_once_waits_once(acme):
    source = ensure_source(company=acme.company, code="ads", name="ads", kind="file")

    def receive():
        upload = SimpleUploadedFile("a.csv", b"date;channel;spend\n2026-11-16;vk;1\n")
        return imports.receive_file(company=acme.company, by=acme.analyst, at=NOW, source=source, upload=upload).pk

    answers = at_once(receive, receive, receive)

    assert len(set(answers)) == 1
    assert Import.objects.count() == 1
