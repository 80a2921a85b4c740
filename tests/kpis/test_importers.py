"""Readers of files: recognised by bytes and heading, read row by row, every wrong cell named. Pure: no database."""

import io
from datetime import date
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from kpis.importers import canonical, multi_platform, registry, values
from kpis.importers.base import Column, Context, FileProblem
from kpis.importers.tables import find_encoding, normalise, open_table
from kpis.problems import sentence

TODAY = date(2026, 11, 20)
CONTEXT = Context(
    {
        "spend": Column("spend", True), "расход": Column("spend", True), "leads": Column("leads", False),
        "лиды": Column("leads", False), "revenue": Column("revenue", True, True), "выручка": Column("revenue", True, True),
    },
    TODAY,
)  # fmt: skip
REPORT = Path(__file__).parent.parent / "data" / "multi_platform_ad_report.csv"


def read(content: str | bytes, encoding: str = "utf-8"):
    stream = io.BytesIO(content if isinstance(content, bytes) else content.encode(encoding))
    table = open_table(stream, lambda header: registry.recognise(header, CONTEXT) is not None)
    reader = registry.recognise(table.header, CONTEXT)
    return table, reader, list(reader.read(table, CONTEXT))


def problems(content: str) -> list[tuple]:
    return [(p.row, p.field, p.code, p.value) for row in read(content)[2] for p in row.problems]


def test_multi_platform_report_gives_its_published_totals():
    _table, reader, rows = read(REPORT.read_bytes())

    assert reader is multi_platform
    assert len(rows) == 16
    totals = {code: sum(row.values[code] for row in rows) / 1_000_000 for code in rows[0].values}
    assert totals == {"clicks": 3041, "impressions": 163500, "spend": 2247.15, "leads": 201, "revenue": 4585}
    by_platform: dict[str, float] = {}
    for row in rows:
        by_platform[row.channel] = by_platform.get(row.channel, 0) + row.values["spend"]
    assert by_platform == {"Facebook Ads": 1188_000_000, "Google Ads": 587_050_000, "TikTok Ads": 472_100_000}
    assert not any(row.problems for row in rows)


@pytest.mark.parametrize(
    ("content", "encoding", "delimiter"),
    [
        ("date,channel,spend,leads\n2026-11-19,vk,1234.5,5\n", "utf-8", ","),
        ("Дата;Канал;Расход;Лиды\n19.11.2026;vk;1 234,5;5\n", "cp1251", ";"),
        ("Дата;Канал;Расход, ₽;Лиды\n19.11.2026;vk;1\u00a0234,50;5\n", "utf-8-sig", ";"),
        ("sep=;\r\nДата;Канал;Расход (руб.);Лиды\r\n19.11.26;vk;1\u202f234,5 ₽;5,0\r\n", "utf-8", ";"),
        ("date\tchannel\tspend\tleads\n20261119\tvk\t1234.5\t5\n", "utf-16", "\t"),
        (
            "Отчёт за ноябрь\n\n дата , канал,расход,лиды\n19 ноября 2026 г.,vk,1234.5,5\nИтого,,1234.5,5\n",
            "utf-8",
            ",",
        ),
        ('"date","channel","spend","leads"\n"2026-11-19 00:00:00","vk","1,234.50","5"\n', "utf-8", ","),
        ("date;channel;spend;leads\n46345;vk;1234,5;5\n\n;;;\n", "utf-8", ";"),
    ],
)
def test_canonical_layout_in_many_spellings(content, encoding, delimiter):
    table, reader, rows = read(content, encoding)

    assert reader is canonical
    assert (table.delimiter, len(rows)) == (delimiter, 1)
    assert rows[0].problems == []
    assert (rows[0].day, rows[0].channel) == (date(2026, 11, 19), "vk")
    assert rows[0].values == {"spend": 1_234_500_000, "leads": 5_000_000}


def test_an_empty_cell_is_unknown_not_zero():
    rows = read("date,channel,campaign,spend,leads\n2026-11-19,vk,c-1,,0\n2026-11-18,vk,,-,—\n")[2]

    assert [row.values for row in rows] == [{"spend": None, "leads": 0}, {"spend": None, "leads": None}]
    assert [row.campaign for row in rows] == ["c-1", ""]


def test_every_wrong_cell_is_named_with_its_row_and_column():
    assert problems(
        "date,channel,spend,leads\n"
        "2026-11-19,vk,NaN,-5\n"
        "2026-11-21,vk,1,1\n"
        "31.02.2026,,1e309,x\n"
        "02/03/2026,vk,1,1\n"
        "2026-11-19,vk,1\n"
        "2026-11-18,vk,1,234,5\n"
        "2026-11-19,vk,99999999999999,1\n"
        ",vk,1,1\n"
    ) == [
        (2, "spend", "nan", "NaN"), (2, "leads", "negative", "-5"), (3, "date", "future_date", "2026-11-21"),
        (4, "channel", "no_channel", ""), (4, "date", "bad_date", "31.02.2026"), (4, "spend", "exponent", "1e309"),
        (4, "leads", "not_a_number", "x"), (5, "date", "ambiguous_date", "02/03/2026"), (6, "", "short_row", ""),
        (7, "", "long_row", ""), (8, "spend", "too_large", "99999999999999"), (9, "date", "no_date", ""),
    ]  # fmt: skip


def test_revenue_may_be_negative_and_brackets_mean_minus():
    rows = read("date;channel;revenue\n2026-11-19;vk;(1 234)\n2026-11-18;vk;−5,5\n")[2]

    assert [row.values["revenue"] for row in rows] == [-1_234_000_000, -5_500_000]


def test_thousands_or_decimals_is_decided_per_file():
    known = read("date;channel;spend\n2026-11-18;vk;0,55\n2026-11-19;vk;1,234\n")[2]
    doubtful = read("date;channel;spend\n2026-11-19;vk;1,234\n")[2]
    counts = read("date;channel;leads\n2026-11-19;vk;1,234\n")[2]

    assert known[1].values["spend"] == 1_234_000
    assert [problem.code for problem in doubtful[0].problems] == ["ambiguous_number"]
    assert counts[0].values["leads"] == 1_234_000_000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (b"\x89PNG\r\n\x1a\n....", "picture"),
        (b"PK\x03\x04....", "broken_workbook"),
        (b"\xd0\xcf\x11\xe0....", "old_excel"),
        (b"%PDF-1.7", "pdf"),
        (b"<!DOCTYPE html><html>", "page"),
        (b"date,channel\x00,spend", "binary"),
        (b"hello\nworld\n", "no_known_columns"),
        (b"date,channel\n2026-11-19,vk\n", "no_known_columns"),
        (("a," * 10_000 + "\n").encode(), "too_wide"),
        ("date,channel,spend,расход\n".encode(), "column_twice"),
        (b'date,channel,spend\n2026-11-19,"vk,1\n' + b"x" * 200_000, "broken_quotes"),
    ],
)
def test_a_wrong_file_says_what_it_is(content, code):
    with pytest.raises(FileProblem) as problem:
        read(content)

    assert problem.value.code == code


def test_encodings_are_told_by_bytes():
    assert find_encoding(io.BytesIO("дата".encode())) == "utf-8"
    assert find_encoding(io.BytesIO("дата".encode("utf-8-sig"))) == "utf-8-sig"
    assert find_encoding(io.BytesIO("дата".encode("cp1251"))) == "cp1251"
    assert find_encoding(io.BytesIO("дата".encode("utf-16"))) == "utf-16"


def test_headings_are_compared_without_units():
    assert normalise("Расход\u00a0(руб.)") == "расход"
    assert normalise(" Расход, ₽ ") == "расход"
    assert normalise("Отчёт_за  день") == "отчет за день"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1.23456789", 1_234_568),
        ("0.0000005", 0),
        ("0.0000015", 2),
        ("12 345 678,9", 12_345_678_900_000),
        ("1.234.567", 1_234_567_000_000),
    ],
)
def test_numbers_are_exact_and_rounded_half_even(cell, expected):
    assert values.micros(cell, money=True) == expected


def test_a_reader_is_asked_by_name():
    with pytest.raises(FileProblem, match="unknown_profile"):
        registry.reader_of("nonsense", CONTEXT)


# ---------------------------------------------------------------- whatever comes, a reason and never a crash
@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_reason(text):
    try:
        value = values.micros(text, money=True)
    except values.CellError:
        return
    assert value is None or abs(value) <= values.LIMIT


@settings(deadline=None)
@given(
    st.integers(-values.LIMIT, values.LIMIT),
    st.sampled_from([",", "."]),
    st.sampled_from(["", " ", "\u00a0", "\u202f"]),
)
def test_a_number_written_with_a_known_sign_comes_back_exactly(micros, sign, space):
    whole, fraction = divmod(abs(micros), 1_000_000)
    text = f"{'-' if micros < 0 else ''}{whole:,}".replace(",", space) + (f"{sign}{fraction:06d}" if fraction else "")

    assert values.micros(text, money=True, sign=sign) == micros


@settings(deadline=None)
@given(st.text(max_size=20))
def test_any_text_is_a_day_or_a_reason(text):
    try:
        day = values.day(text)
    except values.CellError:
        return
    assert day >= values.EARLIEST


@settings(deadline=None)
@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%Y%m%d"]))
def test_every_day_in_every_spelling_comes_back(day, spelling):
    assert values.day(day.strftime(spelling)) == day


@settings(deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from([b"", b"date;channel;spend\n", b"\xff\xfe", b'date,channel,spend\r\n"'])
)
def test_any_bytes_are_rows_or_a_reason(content, start):
    try:
        _table, _reader, rows = read(start + content)
    except FileProblem:
        return
    for row in rows:
        assert row.problems or row.day is not None


def test_the_example_of_a_number_is_not_broken_over_lines():
    with translation.override("ru"):
        assert "1\u00a0234,5" in sentence({"code": "not_a_number", "value": "x"})


@pytest.mark.parametrize("encoding", ["cp1251", "cp866"])
@pytest.mark.parametrize(
    "text",
    [
        "дата;канал;расход;лиды\n18.11.2026;Блог и Дзен;100;5\n",
        "Дата;Кампания;№ Кампании;Расход (руб.)\n18.11.2026;РСЯ – Москва;7;1\u00a0234,50\n",
        "ДАТА;ПОКАЗЫ\n18.11.2026;5\n",
    ],
)
def test_russian_letters_are_told_by_their_bytes(text, encoding):
    sent = text.encode(encoding, errors="ignore")

    assert find_encoding(io.BytesIO(sent)) == encoding


def test_a_dash_and_a_thin_thousand_do_not_make_letters():
    sent = "date;campaign;spend\n2026-11-18;Search — brand «A» № 1…;1\u00a0234,5\n".encode("cp1251")

    assert find_encoding(io.BytesIO(sent)) == "cp1251"


def test_broken_letters_are_called_so():
    broken = "Дата;Показы;Расход\n18.11.2026;5;6\n".encode("cp1251").decode("latin-1").encode()

    with pytest.raises(FileProblem) as problem:
        open_table(io.BytesIO(broken), lambda cells: False)

    assert problem.value.code == "garbled"
