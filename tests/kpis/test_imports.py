"""The life of a load: received, previewed, confirmed, run under a lease, undone; wrong files write nothing."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Sum

from kpis.importers.base import FileProblem
from kpis.models import DailyFact, Import, UtmRule
from kpis.selectors import imports as reads
from kpis.selectors.as_known import facts_as_known
from kpis.services import import_runs, imports, meanings, uploads
from kpis.services.leases import LEASE
from kpis.services.sources import ensure_source
from kpis.services.sweeping import sweep_uploads
from roles.models import AuditEvent, Campaign

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
REPORT = Path(__file__).parent.parent / "data" / "multi_platform_ad_report.csv"
MAPPING = {"Google Ads": "vk", "Facebook Ads": "vk", "TikTok Ads": "blog"}
CANONICAL = "date;channel;campaign;spend;leads\n2026-11-18;vk;;100,5;3\n2026-11-19;VK Реклама;c-1;200;\n"


def upload(content: str | bytes = CANONICAL, name="facts.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())


def source(made):
    return ensure_source(company=made.company, code="ads", name="Кабинеты", kind="file")


def receive(made, content=CANONICAL, **kwargs) -> Import:
    return imports.receive_file(
        company=made.company, by=made.analyst, at=NOW, source=source(made), upload=upload(content), **kwargs
    )


def load_all(made, content=CANONICAL, mapping=None) -> Import:
    load = receive(made, content)
    imports.confirm_import(company=made.company, by=made.analyst, at=NOW, load=load, mapping=mapping or load.mapping)
    import_runs.run_due_imports(company=made.company, at=NOW)
    load.refresh_from_db()
    return load


def facts(made):
    return DailyFact.objects.filter(company=made.company)


def test_a_file_waits_for_the_users_word(acme):
    load = receive(acme)

    assert load.state == "preview"
    assert load.mapping == {"vk": "vk", "VK Реклама": "vk"}
    assert not facts(acme).exists()
    assert receive(acme) == load
    assert Import.objects.count() == 1


def test_preview_shows_what_will_be_stored_and_writes_nothing(acme):
    load = receive(acme)

    seen = reads.preview(company=acme.company, load=load)

    assert (seen.profile, seen.encoding, seen.delimiter) == ("canonical", "utf-8", ";")
    assert (seen.fresh, seen.changed, seen.same, seen.wrong, seen.fresh_campaigns) == (2, 0, 0, 0, 1)
    assert [(row.day, row.channel, row.campaign, row.values) for row in seen.rows] == [
        (date(2026, 11, 18), "VK Реклама", "", [Decimal("100.5"), 3]),
        (date(2026, 11, 19), "VK Реклама", "c-1", [200, None]),
    ]
    assert not facts(acme).exists()
    assert not Campaign.objects.filter(company=acme.company).exists()


def test_preview_counts_new_changed_and_same(acme):
    load_all(acme)
    again = receive(acme, CANONICAL.replace(";3\n", ";4\n") + "2026-11-17;vk;;1;1\n")

    seen = reads.preview(company=acme.company, load=again)

    assert (seen.fresh, seen.changed, seen.same, seen.fresh_campaigns) == (1, 1, 1, 0)


def test_a_confirmed_load_is_run_and_the_same_file_again_changes_nothing(acme):
    load = load_all(acme)
    again = load_all(acme)

    assert (load.state, load.created, load.changed, load.unchanged) == ("done", 2, 0, 0)
    assert (load.first_day, load.last_day) == (date(2026, 11, 18), date(2026, 11, 19))
    assert (again.state, again.created, again.changed, again.unchanged) == ("done", 0, 0, 2)
    campaign = Campaign.objects.get(company=acme.company, external_id="c-1")
    assert facts(acme).get(campaign_id=campaign.pk).spend == 200
    verbs = AuditEvent.objects.filter(company=acme.company).values_list("verb", flat=True)
    assert list(verbs)[:3] == ["receive_file", "confirm_import", "run_import"]


def test_multi_platform_report_is_summed_per_day_platform_and_campaign(acme):
    load = load_all(acme, REPORT.read_bytes(), MAPPING)

    assert (load.state, load.profile, load.created) == ("done", "multi_platform", 8)
    totals = facts(acme).aggregate(*[Sum(code) for code in ("clicks", "impressions", "spend", "leads", "revenue")])
    assert totals == {
        "clicks__sum": 3041, "impressions__sum": 163500, "spend__sum": Decimal("2247.15"), "leads__sum": 201,
        "revenue__sum": 4585,
    }  # fmt: skip
    campaigns = dict(Campaign.objects.filter(company=acme.company).values_list("external_id", "pk"))
    spent = dict(facts(acme).values_list("campaign_id").annotate(Sum("spend")))
    assert spent == {
        campaigns["CAM101"]: Decimal("587.05"), campaigns["CAM102"]: 1188, campaigns["CAM201"]: Decimal("472.1"),
    }  # fmt: skip
    assert facts(acme).get(campaign_id=campaigns["CAM101"], day=date(2025, 7, 10)).spend == Decimal("185.75")
    assert Campaign.objects.get(external_id="CAM101").name == "Back to School"
    again = load_all(acme, REPORT.read_bytes(), MAPPING)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 8)


def test_platforms_without_a_channel_wait_and_are_remembered_the_next_time(acme):
    load = receive(acme, REPORT.read_bytes())
    assert sorted(load.mapping) == ["Facebook Ads", "Google Ads", "TikTok Ads"]

    with pytest.raises(meanings.ChannelsNotChosen) as refusal:
        imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping={"Google Ads": "vk"})
    assert [error.field for error in refusal.value.errors] == ["Facebook Ads", "TikTok Ads"]

    load_all(acme, REPORT.read_bytes(), MAPPING)
    assert receive(acme, REPORT.read_bytes() + b"\n").mapping == MAPPING


def test_a_name_may_be_left_out(acme):
    load = load_all(acme, REPORT.read_bytes(), {**MAPPING, "TikTok Ads": "-"})

    assert facts(acme).aggregate(Sum("spend"))["spend__sum"] == Decimal("1775.05")
    assert load.created == 6


def test_a_channel_of_another_company_cannot_be_chosen(acme, rival):
    rival.vk.code = "theirs"
    rival.vk.save()
    load = receive(acme, REPORT.read_bytes())

    with pytest.raises(meanings.ChannelsNotChosen):
        imports.confirm_import(
            company=acme.company, by=acme.analyst, at=NOW, load=load, mapping={**MAPPING, "TikTok Ads": "theirs"}
        )


WRONG = {
    "not_a_number": "2026-11-18;vk;;NaN;1\n",
    "negative": "2026-11-18;vk;;-5;1\n",
    "future_date": "2026-11-21;vk;;5;1\n",
    "repeated": "2026-11-18;vk;;5;1\n",
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_one_bad_row_and_nothing_is_written(acme, row):
    load = receive(acme, CANONICAL + row)
    seen = reads.preview(company=acme.company, load=load)
    imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)

    import_runs.run_due_imports(company=acme.company, at=NOW)

    load.refresh_from_db()
    assert load.state == "failed"
    assert load.errors[0]["row"] == 4
    assert seen.wrong == 1
    assert seen.problems[0]["message"]
    assert not facts(acme).exists()
    assert not Campaign.objects.filter(company=acme.company).exists()


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"hello", b"date,channel,spend\n"])
def test_a_wrong_file_is_refused_with_what_to_do_and_nothing_is_kept(acme, content, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}},
    }
    with pytest.raises(imports.BadFile) as refusal:
        receive(acme, content)

    assert refusal.value.message.endswith(".")
    assert not Import.objects.exists()
    assert list(tmp_path.rglob("*.upload")) == []


def test_too_large_a_file_is_refused(acme, settings):
    settings.UPLOAD_MAX_BYTES = 10

    with pytest.raises(uploads.FileTooLarge) as refusal:
        receive(acme)
    assert refusal.value.status == 413


def test_undo_takes_the_load_back_whole_and_only_once(acme):
    load_all(acme)
    second = load_all(acme, CANONICAL.replace("100,5", "999") + "2026-11-17;vk;;1;1\n")

    counts = imports.undo_import(company=acme.company, by=acme.owner, at=NOW, load=second)

    assert (counts.changed, counts.created) == (1, 1)
    assert set(facts(acme).values_list("spend", flat=True)) == {Decimal("100.5"), Decimal(200)}
    assert second.state == "undone"
    with pytest.raises(imports.CannotUndo):
        imports.undo_import(company=acme.company, by=acme.owner, at=NOW, load=second)


def test_a_waiting_load_can_be_dropped(acme):
    load = receive(acme)

    imports.undo_import(company=acme.company, by=acme.analyst, at=NOW, load=load)

    assert load.state == "undone"
    with pytest.raises(imports.NotWaiting):
        imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)


def queued(made) -> Import:
    load = receive(made)
    return imports.confirm_import(company=made.company, by=made.analyst, at=NOW, load=load, mapping=load.mapping)


def test_a_leased_load_is_left_alone_until_its_lease_runs_out(acme):
    load = queued(acme)
    Import.objects.filter(pk=load.pk).update(lease_until=NOW + timedelta(seconds=30), lease_token="other", attempts=1)

    assert import_runs.run_due_imports(company=acme.company, at=NOW) == 0
    assert import_runs.run_due_imports(company=acme.company, at=NOW + timedelta(seconds=31)) == 1
    assert import_runs.run_due_imports(company=acme.company, at=NOW + timedelta(seconds=99)) == 0
    assert facts(acme).count() == 2


def test_a_worker_that_lost_its_lease_writes_nothing(acme, monkeypatch):
    load = queued(acme)

    def stolen(name):
        Import.objects.filter(pk=load.pk).update(lease_token="other")

    monkeypatch.setattr(import_runs, "failpoint", stolen)

    with pytest.raises(import_runs.LeaseLost):
        import_runs.run_import(company=acme.company, pk=load.pk, at=NOW)
    assert not facts(acme).exists()


def test_a_load_of_minutes_is_known_from_its_end_on_and_the_next_one_is_leased_from_then(acme, monkeypatch):
    first, second = queued(acme), receive(acme, CANONICAL.replace("100,5", "7"))
    imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=second, mapping=second.mapping)
    passed, leases = [0.0], []

    def slow(name):
        if name == "import.after_copy":
            leases.extend(
                Import.objects.filter(state="queued").exclude(lease_until=None).values_list("lease_until", flat=True)
            )
            passed[0] += 180

    monkeypatch.setattr(import_runs, "failpoint", slow)
    monkeypatch.setattr("kpis.services.leases.time", SimpleNamespace(monotonic=lambda: passed[0]))

    import_runs.run_due_imports(company=acme.company, at=NOW)

    first.refresh_from_db()
    second.refresh_from_db()
    minutes = [(load.finished_at - NOW) / timedelta(minutes=1) for load in (first, second)]
    assert minutes == [3, 6]
    assert leases == [NOW + LEASE, NOW + timedelta(minutes=3) + LEASE]
    known = [
        {row.values for row in facts_as_known(
            company=acme.company, at=NOW + timedelta(minutes=after), start=date(2026, 11, 18), end=date(2026, 11, 18),
            columns=["spend"],
        )}
        for after in (2, 4, 7)
    ]  # fmt: skip
    assert known == [set(), {(100_500_000,)}, {(7_000_000,)}]


def test_a_load_that_breaks_off_again_and_again_says_so(acme, monkeypatch):
    load = queued(acme)
    monkeypatch.setattr(import_runs, "failpoint", lambda name: 1 / 0)

    for minute in range(4):
        import_runs.run_due_imports(company=acme.company, at=NOW + timedelta(minutes=minute))

    load.refresh_from_db()
    assert (load.state, load.errors) == ("failed", [{"code": "broke_off", "n": 3}])
    assert not facts(acme).exists()


def test_an_upload_that_is_lost_after_it_was_looked_at_says_so(acme):
    load = receive(acme)
    reads.preview(company=acme.company, load=load)
    load.file.storage.delete(load.file.name)

    with pytest.raises(FileProblem) as lost:
        reads.preview(company=acme.company, load=load)

    assert lost.value.code == "gone"


def test_a_lost_upload_says_so(acme):
    load = queued(acme)
    load.file.storage.delete(load.file.name)

    import_runs.run_due_imports(company=acme.company, at=NOW)

    load.refresh_from_db()
    assert (load.state, load.errors) == ("failed", [{"code": "gone"}])


def test_uploads_are_forgotten_after_a_month_and_the_load_stays(acme):
    load = load_all(acme)
    name = load.file.name

    sweep_uploads(company=acme.company, at=NOW + timedelta(days=29))
    assert load._meta.get_field("file").storage.exists(name)
    sweep_uploads(company=acme.company, at=NOW + timedelta(days=31))

    load.refresh_from_db()
    assert not load.file
    assert not load._meta.get_field("file").storage.exists(name)
    assert load.state == "done"


def test_a_preview_nobody_answers_is_dropped_after_a_month(acme):
    load = receive(acme)

    sweep_uploads(company=acme.company, at=NOW + timedelta(days=31))
    sweep_uploads(company=acme.company, at=NOW + timedelta(days=62))

    load.refresh_from_db()
    assert load.state == "undone"
    assert not load.file


def test_rows_that_add_up_to_nonsense_are_refused(acme):
    lines = REPORT.read_text().replace(",105.00,", ",9199999999999,").replace(",80.75,", ",9199999999999,")

    load = load_all(acme, lines, MAPPING)

    assert (load.state, load.errors) == ("failed", [{"code": "sum_too_large"}])
    assert not facts(acme).exists()


def test_confirming_wakes_the_worker_by_the_tasks_name(acme, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr("celery.current_app.send_task", lambda name, args, **options: sent.append((name, args)))

    with django_capture_on_commit_callbacks(execute=True):
        queued(acme)

    assert sent == [("mops.run_company", [acme.company.pk])]


def test_no_broker_does_no_harm(acme, monkeypatch, django_capture_on_commit_callbacks):
    def refuse(*args, **options):
        raise OSError("no broker")

    monkeypatch.setattr("celery.current_app.send_task", refuse)

    with django_capture_on_commit_callbacks(execute=True):
        load = queued(acme)
    assert load.state == "queued"


def test_two_names_of_one_channel_on_one_day_are_a_repeated_row_in_both_places(acme):
    load = receive(acme, "date;channel;spend\n2026-11-18;vk;1\n2026-11-18;VK Реклама;2\n")

    assert [problem["code"] for problem in reads.preview(company=acme.company, load=load).problems] == ["repeated"]
    imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)
    import_runs.run_due_imports(company=acme.company, at=NOW)
    load.refresh_from_db()
    assert [(error["row"], error["code"], error["value"]) for error in load.errors] == [(3, "repeated", "2")]


def test_preview_counts_what_the_load_then_does(acme):
    content = "date;channel;campaign;spend\n2026-11-18;vk;;\n2026-11-18;vk;c-9;5\n2026-11-17;vk;;1\n"
    seen = reads.preview(company=acme.company, load=receive(acme, content))

    load = load_all(acme, content)

    assert (seen.fresh, seen.changed, seen.same) == (load.created, load.changed, load.unchanged) == (2, 0, 1)


def test_a_name_is_matched_by_utm_source_and_by_the_id_of_a_campaign(acme, rival):
    """Where they lead to one channel alone; another company's rules and campaigns never count."""
    UtmRule.objects.create(
        company=acme.company, channel=acme.blog, utm_source="Dzen", created_by=acme.analyst, created_at=NOW
    )
    Campaign.objects.create(company=acme.company, channel=acme.vk, external_id="c-77", name="Кухни")
    Campaign.objects.create(company=rival.company, channel=rival.vk, external_id="c-88", name="Чужая")
    for channel in (acme.vk, acme.blog):
        Campaign.objects.create(company=acme.company, channel=channel, external_id="c-2", name="Обе")

    load = receive(
        acme, "date;channel;spend\n" + "".join(f"2026-11-18;{name};1\n" for name in ("dzen", "c-77", "c-88", "c-2"))
    )

    assert load.mapping == {"dzen": "blog", "c-77": "vk", "c-88": "", "c-2": ""}
