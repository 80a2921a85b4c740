"""Files that were made to break the importer, or break by themselves: each ends in words, and nothing is written.

Every file goes the whole way of an upload: received, its channels chosen, confirmed, run by the worker.
"""

import io
import re
import struct
import zipfile
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation

from kpis import problems
from kpis.models import DailyFact, FactRevision, Import
from kpis.services import import_runs, imports, meanings, uploads
from roles.models import Campaign
from roles.refusals import Refused

from .test_imports import NOW, source
from .test_platforms import workbook

HEAD = "date;channel;campaign;spend;leads\n"


def one(row: str, head: str = HEAD) -> bytes:
    """A right row and the one in question, as row 3."""
    return (head + "2026-11-18;vk;;100;3\n" + row + "\n").encode()


def packed(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def sheet(xml: str) -> bytes:
    """A workbook whose one sheet is this XML."""
    sound = zipfile.ZipFile(io.BytesIO(workbook(("S", [["date", "channel", "spend"]]))))
    members = {name: sound.read(name) for name in sound.namelist()}
    return packed(members | {"xl/worksheets/sheet1.xml": xml.encode()})


ENTITIES = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{ENTITIES}]><worksheet><sheetData><row><c t="str"><v>&a12;</v></c></row></sheetData></worksheet>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row><c t="str"><v>&f;</v></c></row></sheetData></worksheet>'
LYING_SIZE = bytearray(packed({"xl/workbook.xml": b"0" * 10_000_000}))
LYING_SIZE[LYING_SIZE.rfind(b"PK\x01\x02") + 24 : LYING_SIZE.rfind(b"PK\x01\x02") + 28] = struct.pack("<I", 1000)

WHOLE_FILE = {
    # name: (content, code)
    "nothing at all": (b"", "empty"),
    "only a BOM": (b"\xef\xbb\xbf", "empty"),
    "only line ends": (b"\r\n\r\n\r\n", "empty"),
    "only NUL bytes": (b"\x00" * 300, "empty"),
    "a heading and no rows": (HEAD.encode(), "no_rows"),
    "NUL bytes in the text": (HEAD.encode() + b"2026-11-18;vk;;1\x000;3\n", "binary"),
    "random bytes": (bytes(range(1, 256)) * 40, "no_known_columns"),
    "a picture called csv": (b"\x89PNG\r\n\x1a\n" + b"\x01" * 200, "picture"),
    "a photo called csv": (b"\xff\xd8\xff\xe0" + b"\x01" * 200, "picture"),
    "a PDF called csv": (b"%PDF-1.7\n" + b"x" * 200, "pdf"),
    "a gzip called csv": (b"\x1f\x8b\x08" + b"x" * 200, "archive"),
    "a RAR called csv": (b"Rar!\x1a\x07\x00" + b"x" * 200, "archive"),
    "a 7z called csv": (b"7z\xbc\xaf\x27\x1c" + b"x" * 200, "archive"),
    "a database called csv": (b"SQLite format 3\x00" + b"x" * 200, "database"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old_excel"),
    "a sign-in page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "page"),
    "an HTML table called xls": ("<table><tr><td>Дата</td></tr></table>".encode(), "page"),
    "an XML file": (b'<?xml version="1.0"?><rows/>', "page"),
    "an empty ZIP": (b"PK\x05\x06" + b"\x00" * 18, "archive"),
    "a ZIP of a CSV": (packed({"facts.csv": one("2026-11-19;vk;;1;1")}), "archive"),
    "a cut ZIP": (packed({"xl/workbook.xml": b"x" * 5000})[:60], "broken_workbook"),
    "a ZIP whose contents lie": (bytes(LYING_SIZE), "broken_workbook"),
    "a bomb of zeros": (packed({"xl/workbook.xml": b"0" * 50_000_000}), "bomb"),
    "a bomb of a thousand parts": (packed({"xl/workbook.xml": b"<w/>"} | {f"xl/{n}": b"" for n in range(2000)}), "bomb"),
    "a workbook without a book": (packed({"xl/workbook.xml": b"<broken"}), "broken_workbook"),
    "a billion laughs": (sheet(LAUGHS), "broken_workbook"),
    "an entity from outside": (sheet(OUTSIDE), "broken_workbook"),
    "a workbook of other things": (workbook(("S", [["имя", "телефон"], ["Анна", "+7"]])), "no_known_columns"),
    "a workbook with nothing": (workbook(("S", [])), "no_known_columns"),
    "10,000 columns": ((";".join(f"c{n}" for n in range(10_000)) + "\n" + ";" * 9_999 + "\n").encode(), "too_wide"),
    "10,000 columns with a right heading": ((HEAD.strip() + ";x" * 10_000 + "\n").encode(), "too_wide"),
    "an open quote to the end": (one('2026-11-19;"vk;;1;1' + "\n2026-11-17;vk;;1;1" * 1000), "short_row"),
    "a line of 3 MB": (HEAD.encode() + b"2026-11-18;vk;;" + b"1" * 3_000_000, "broken_quotes"),
    "other headings": ("когда;кто;сколько\n18.11;я;5\n".encode(), "no_known_columns"),
    "a metric twice": (b"date;channel;spend;spend\n2026-11-18;vk;1;2\n", "column_twice"),
    "a metric twice under two names": ("date;channel;spend;расход\n2026-11-18;vk;1;2\n".encode(), "column_twice"),
    "too many channels": (("date;channel;spend\n" + "".join(f"2026-11-18;c{n};1\n" for n in range(300))).encode(), "too_many_channels"),
    "two currencies": (b"Day,Campaign,Currency code,Cost,Impr.\n2026-11-17,a,USD,1.00,5\n2026-11-17,b,EUR,1.00,5\n", "two_currencies"),
}  # fmt: skip
ONE_ROW = {
    # name: (row 3 of a file in the simple layout, column, code)
    "NaN": ("2026-11-19;vk;;NaN;1", "spend", "nan"),
    "infinity": ("2026-11-19;vk;;inf;1", "spend", "nan"),
    "1e309": ("2026-11-19;vk;;1e309;1", "spend", "exponent"),
    "shortened by a spreadsheet": ("2026-11-19;vk;;1,2E+07;1", "spend", "exponent"),
    "a spreadsheet's error": ("2026-11-19;vk;;#ДЕЛ/0!;1", "spend", "not_a_number"),
    "a formula": ("2026-11-19;vk;;=1+1;1", "spend", "not_a_number"),
    "a command": ("2026-11-19;vk;;=cmd|' /C calc'!A0;1", "spend", "not_a_number"),
    "a script": ("2026-11-19;vk;;<script>alert(1)</script>;1", "spend", "not_a_number"),
    "Arabic digits": ("2026-11-19;vk;;٣٤٥;1", "spend", "not_a_number"),
    "full-width digits": ("2026-11-19;vk;;１２３;1", "spend", "not_a_number"),
    "a hidden direction mark": ("2026-11-19;vk;;\u202e12;1", "spend", "not_a_number"),
    "words instead of a number": ("2026-11-19;vk;;много;1", "spend", "not_a_number"),
    "two decimal signs": ("2026-11-19;vk;;1,2,3;1", "spend", "not_a_number"),
    "negative spend": ("2026-11-19;vk;;-5;1", "spend", "negative"),
    "negative leads": ("2026-11-19;vk;;5;-1", "leads", "negative"),
    "a sum beyond belief": ("2026-11-19;vk;;99999999999999999999;1", "spend", "too_large"),
    "31 February": ("31.02.2026;vk;;1;1", "date", "bad_date"),
    "month 13": ("2026-13-01;vk;;1;1", "date", "bad_date"),
    "no date": (";vk;;1;1", "date", "no_date"),
    "a word for a date": ("вчера;vk;;1;1", "date", "bad_date"),
    "the year 1900": ("1900-01-01;vk;;1;1", "date", "too_old"),
    "the year 2999": ("2999-01-01;vk;;1;1", "date", "future_date"),
    "tomorrow": ("2026-11-21;vk;;1;1", "date", "future_date"),
    "no channel": ("2026-11-19;;;1;1", "channel", "no_channel"),
    "too few cells": ("2026-11-19;vk;1", "", "short_row"),
    "too many cells": ("2026-11-19;vk;;1;1;7;7", "", "long_row"),
    "the same row twice": ("2026-11-18;vk;;100;3", "", "repeated"),
    "the same key with other figures": ("2026-11-18;vk;;999;3", "", "repeated"),
    "an endless campaign": (f"2026-11-19;vk;{'x' * 400};1;1", "campaign", "name_too_long"),
    "a campaign id that a spreadsheet has eaten": ("2026-11-19;vk;1.03E+19;1;1", "campaign", "exponent"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _russian():
    with translation.override("ru"):
        yield


def send(made, content: bytes) -> Import:
    upload = SimpleUploadedFile("facts.csv", content)
    return imports.receive_file(company=made.company, by=made.analyst, at=NOW, source=source(made), upload=upload)


def run(made, load: Import) -> Import:
    mapping = dict.fromkeys(load.mapping, "vk")
    imports.confirm_import(company=made.company, by=made.analyst, at=NOW, load=load, mapping=mapping)
    import_runs.run_due_imports(company=made.company, at=NOW)
    load.refresh_from_db()
    return load


def refused(made, content: bytes) -> tuple[str, str]:
    """Code and words of what became of the file: refused at once, or failed in the worker's hands."""
    try:
        load = send(made, content)
    except Refused as refusal:
        return refusal.errors[0].code, refusal.message
    error = problems.shown(run(made, load).errors)[0]
    return error["code"], error["message"]


def nothing_is_written() -> bool:
    return not (DailyFact.objects.exists() or FactRevision.objects.exists() or Campaign.objects.exists())


def is_russian(text: str) -> bool:
    return bool(re.search("[а-яё]{3}", text)) and "%(" not in text


def test_there_are_sixty_of_them():
    assert len(WHOLE_FILE) + len(ONE_ROW) >= 60


@pytest.mark.parametrize("name", WHOLE_FILE)
def test_a_file_that_is_no_table_is_refused_in_words(acme, name):
    content, code = WHOLE_FILE[name]

    found, message = refused(acme, content)

    assert found == code
    assert is_russian(message)
    assert nothing_is_written()


@pytest.mark.parametrize("name", ONE_ROW)
def test_one_wrong_cell_is_named_and_nothing_is_loaded(acme, name):
    row, field, code = ONE_ROW[name]

    load = run(acme, send(acme, one(row)))

    assert load.state == "failed"
    error = problems.shown(load.errors)[0]
    assert (error["row"], error["field"], error["code"]) == (3, field, code)
    assert is_russian(error["message"])
    assert nothing_is_written()


@pytest.mark.parametrize("channel", ["вк", "vк", "VK Реклама 2", "vk\u200b", "../vk", "' OR 1=1 --"])
def test_a_channel_that_only_looks_like_ours_has_to_be_chosen(acme, channel):
    load = send(acme, one(f"2026-11-19;{channel};;1;1"))

    assert load.mapping[channel] == ""
    with pytest.raises(meanings.ChannelsNotChosen) as refused:
        imports.confirm_import(company=acme.company, by=acme.analyst, at=NOW, load=load, mapping=load.mapping)
    assert is_russian(refused.value.message)
    assert nothing_is_written()


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(acme):
    class Endless(SimpleUploadedFile):
        def chunks(self, *args):
            raise AssertionError("it must not be read")

    upload = Endless("facts.csv", b"x")
    upload.size = 1 << 30

    with pytest.raises(uploads.FileTooLarge) as refused:
        imports.receive_file(company=acme.company, by=acme.analyst, at=NOW, source=source(acme), upload=upload)

    assert (refused.value.status, is_russian(refused.value.message)) == (413, True)


def test_the_right_row_beside_them_would_load(acme):
    load = run(acme, send(acme, one("2026-11-19;vk;;1;1")))

    assert (load.state, load.created, load.last_day) == ("done", 2, date(2026, 11, 19))
