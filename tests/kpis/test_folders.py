"""A folder that nightly exports fall into: known files are loaded without a hand, others wait, wrong ones move aside."""

import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from kpis.models import DailyFact, Import
from kpis.services import folders

from .test_imports import CANONICAL, NOW, load_all
from .test_platforms import FILES


@pytest.fixture
def drop(tmp_path):
    """Put a file into `<folder>/<source>/`, written an hour ago."""

    def put(name: str, content: str | bytes, source="ads", age=3600) -> Path:
        path = tmp_path / source / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        moment = path.stat().st_mtime - age
        os.utime(path, (moment, moment))
        return path

    put.folder = tmp_path
    return put


def load(made, drop):
    return folders.load_folder(company=made.company, by=made.analyst, at=NOW, folder=drop.folder)


def test_a_known_file_is_loaded_and_moved(acme, drop):
    drop("night.csv", CANONICAL)

    [outcome] = load(acme, drop)
    again = load(acme, drop)

    assert (outcome.state, outcome.load.state, outcome.load.source.code) == ("loaded", "done", "ads")
    assert outcome.path == drop.folder / "ads" / "loaded" / "night.csv"
    assert again == []
    assert DailyFact.objects.filter(company=acme.company).count() == 2


def test_the_next_night_remembers_the_channel(acme, drop):
    content, encoding, *_rest = FILES["direct, Report Master"]
    drop("a.csv", content.encode(encoding))

    [first] = load(acme, drop)
    assert (first.state, first.path.exists()) == ("waits", True)
    load_all(acme, content.encode(encoding), {"Яндекс Директ": "vk"})
    [second] = load(acme, drop)

    assert second.state == "loaded"


def test_a_wrong_file_moves_aside_and_stops_nobody(acme, drop):
    drop("a.pdf", b"%PDF-1.7")
    drop("b.csv", CANONICAL.replace("100,5", "сто"))
    drop("c.csv", CANONICAL)

    states = {outcome.path.name: outcome.state for outcome in load(acme, drop)}

    assert states == {"a.pdf": "wrong", "b.csv": "wrong", "c.csv": "loaded"}
    assert sorted(path.name for path in (drop.folder / "ads" / "wrong").iterdir()) == ["a.pdf", "b.csv"]


def test_a_file_that_is_still_written_hidden_or_a_link_is_left_alone(acme, drop):
    target = drop("real.txt", CANONICAL, source="elsewhere")
    drop("fresh.csv", CANONICAL, age=0)
    drop(".part.csv", CANONICAL)
    (drop.folder / "ads" / "link.csv").symlink_to(target)
    target.rename(drop.folder / "outside.csv")

    assert load(acme, drop) == []
    assert not Import.objects.exists()


def test_a_name_that_lies_there_already_is_kept(acme, drop):
    drop("night.csv", CANONICAL)
    load(acme, drop)
    drop("night.csv", CANONICAL.replace("100,5", "101"))

    [outcome] = load(acme, drop)

    assert outcome.path.name == "night-2.csv"
    assert outcome.load.changed == 1


def test_the_command_says_what_became_of_each(acme, drop, capsys):
    drop("a.csv", CANONICAL)
    call_command("load_folder", str(drop.folder), company="acme", email=acme.analyst.user.email)
    assert "loaded  ads/loaded/a.csv: 2 + 0, 0 =" in capsys.readouterr().out

    drop("b.pdf", b"%PDF-1.7")
    with pytest.raises(CommandError, match="wrong/"):
        call_command("load_folder", str(drop.folder), company="acme", email=acme.analyst.user.email)
    with pytest.raises(CommandError, match="may load"):
        call_command("load_folder", str(drop.folder), company="acme", email=acme.pm.user.email)
    with pytest.raises(CommandError, match="no company"):
        call_command("load_folder", str(drop.folder), company="nowhere", email="x@example.com")
