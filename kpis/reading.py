"""From an uploaded file to staged facts: what the readers need to know of the company, and names turned into its rows.

Used by the preview (which writes nothing) and by the load.
"""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import BinaryIO

from django.utils import translation

from kpis import metrics as catalogue
from kpis.answers import Answers, answers_of
from kpis.importers import registry, stages
from kpis.importers.base import Column, Context, FileProblem, Reader, Row
from kpis.importers.custom import (
    DAY,
    MONTH,
    WEEK,
    Custom,
    days_in,
    guess_table,
    personal_places,
    table_under,
    without_personal,
)
from kpis.importers.deals import Deals
from kpis.importers.tables import Table, normalise, open_table
from kpis.models import ColumnMap, Import, Metric, Source
from kpis.naming import guess_channels
from roles.models import Company

MOST_CHANNELS = 200


def context_of(company: Company, today: date, source: Source | None = None, answers: Answers | None = None) -> Context:
    """Headings by which metrics are known: codes, Russian and English names, the company's own metrics included.

    `source`: whose tables mapped by hand are known too. `answers`: what was said about the file.
    """
    columns = {}
    for language in ("ru", "en"):
        with translation.override(language):
            for info in catalogue.BUILT_IN.values():
                column = Column(info.code, info.unit == "money", info.signed)
                for heading in (info.code, str(info.name)):
                    columns[normalise(heading)] = column
    for metric in Metric.objects.filter(company=company):
        column = Column(metric.code, metric.unit == "money")
        for heading in (metric.code, metric.name_ru, metric.name_en):
            if heading:
                columns.setdefault(normalise(heading), column)
    maps = ColumnMap.objects.filter(company=company, source=source) if source else ()
    own = tuple(custom_reader(found) for found in maps)
    if answers is None:
        return Context(columns, today, own)
    return Context(columns, today, own, answers.order, answers.period, answers.is_spread)


def custom_reader(found: ColumnMap) -> Custom:
    """The reader that reads as the map says."""
    step = {ColumnMap.Step.WEEK: WEEK, ColumnMap.Step.MONTH: MONTH}.get(found.step, 1)
    return Custom(
        found.pk, found.version, tuple(found.header), tuple(found.columns), step, found.order, found.is_sparse
    )  # fmt: skip


def foreign_currency(reader: Reader, table: Table, company: Company) -> str:
    """The currency of the file's money where it is not the company's; figures of two currencies are never added."""
    told = reader.money_of(table)
    return "" if told == company.currency else told


def money_codes(company: Company) -> set[str]:
    """The metrics that are money, the company's own included."""
    own = Metric.objects.filter(company=company, unit="money").values_list("code", flat=True)
    return {info.code for info in catalogue.BUILT_IN.values() if info.unit == "money"} | set(own)


def factor_of(rate: Decimal | None, scale: Decimal | None) -> Decimal | None:
    """What the money of a file is multiplied by: its rate and its unit; None where it stands as it is."""
    found = (1 if rate is None else rate) * (1 if scale is None else scale)
    return None if found == 1 else Decimal(found)


def converted(rows: Iterator[Row], money: set[str], rate: Decimal | None) -> Iterator[Row]:
    """Rows with the values of these metrics in the company's currency: times the rate, rounded to millionths, half to even."""
    if rate is None:
        yield from rows
        return
    for row in rows:
        for code in money & row.values.keys():
            value = row.values[code]
            if value is not None:
                row.values[code] = int((value * rate).to_integral_value(rounding=ROUND_HALF_EVEN))
        yield row


def open_recognised(
    stream: BinaryIO, context: Context, profile: str = "", version: int | None = None
) -> tuple[Reader, Table]:
    """The table of a stream and the reader that knows it; FileProblem when there is none, or it is of another version."""
    table = open_table(stream, lambda header: registry.recognise(header, context, profile) is not None)
    reader = registry.recognise(table.header, context, profile)
    if version is not None and isinstance(reader, Custom) and version != reader.VERSION:
        raise FileProblem("columns_changed")
    return reader, table


def open_load(company: Company, load: Import, stream: BinaryIO) -> tuple[Context, Reader, Table]:
    """The table of a load's file by the reader it was previewed with, and what that reader knows of the company."""
    context = context_of(company, company.local_date(load.created_at), load.source, answers_of(load.answers))
    return context, *open_recognised(stream, context, load.profile, load.profile_version)


@dataclass
class Recognised:
    """What an upload is. `profile` empty: a table that nobody knows, whose columns have to be mapped by hand.

    `mapping`: names in the file → codes of channels, as far as they can be told; `kept`: the records to keep in place of
    the upload, where it holds personal columns.
    """

    profile: str = ""
    version: int = 0
    currency: str = ""
    mapping: dict[str, str] = field(default_factory=dict)
    kept: Iterator[list[str]] | None = None


def look_into(
    stream: BinaryIO, company: Company, source: Source, today: date, profile: str, remembered: dict[str, str],
    header_row: int | None = None,
) -> Recognised:  # fmt: skip
    """What an upload of this source is; FileProblem for what cannot be loaded. `header_row`: of its headings, said by hand."""
    context = context_of(company, today, source)
    if header_row is not None:
        return Recognised(kept=without_personal(table_under(stream, header_row)))
    try:
        reader, table = open_recognised(stream, context, profile)
    except FileProblem as problem:
        if profile or problem.code != "no_known_columns" or (unknown := guess_table(stream)) is None:
            raise
        return Recognised(kept=without_personal(unknown))
    if _asks_for_weeks(reader, table):
        found = Recognised()
    else:
        found = recognised(stream, company, context, reader, table, remembered)
    if isinstance(reader, Deals):
        found.kept = reader.kept(open_recognised(stream, context, reader.CODE)[1], hasher(source))
    elif personal_places(table):
        found.kept = without_personal(open_recognised(stream, context, reader.CODE)[1], figures_of(reader, context))
    return found


def figures_of(reader: Reader, context: Context) -> frozenset[str]:
    """Headings that a reader of our own takes figures from; what was mapped by hand never was a personal column."""
    if isinstance(reader, Custom):
        return frozenset()
    return frozenset(getattr(reader, "columns", getattr(reader, "COLUMNS", context.columns)))


def hasher(source: Source) -> Callable[[str], str]:
    """Turns a title or a customer of a CRM into text that is equal for equals and cannot be read back.

    The key is the source's own, so that customers stay who they are when the installation's SECRET_KEY is changed.
    """
    key = bytes.fromhex(source.hash_key)
    return lambda text: hmac.digest(key, text.encode(), "sha256").hex()[:32]


def _asks_for_weeks(reader: Reader, table: Table) -> bool:
    """Are these weeks, where somebody has said of a table of days what its columns are? Reads the table on."""
    is_daily = isinstance(reader, Custom) and reader.step == 1 and not reader.is_sparse
    return is_daily and days_in(table, reader.place(DAY), reader.order).look_weekly


def recognised(
    stream: BinaryIO, company: Company, context: Context, reader: Reader, table: Table, remembered: dict[str, str]
) -> Recognised:
    """The currency of a file that this reader knows, and the channels that its names mean."""
    currency = foreign_currency(reader, table, company)
    names = names_in(stream, context, reader.CODE)
    if isinstance(reader, Custom) and reader.is_wide:
        remembered = {}  # its names are codes that were chosen column by column
    is_deals = isinstance(reader, Deals)
    mapping = stages.guess(names, remembered) if is_deals else guess_channels(names, company, remembered)
    return Recognised(reader.CODE, reader.VERSION, currency, mapping)


@contextmanager
def opened(load: Import) -> Iterator[BinaryIO]:
    """The stored upload, read in binary; FileProblem when storage does not have it any more."""
    if not load.file:
        raise FileProblem("gone")
    try:
        stored = load.file.open("rb")
    except (FileNotFoundError, ValueError) as error:  # ValueError: it was there when it was opened before
        raise FileProblem("gone") from error
    with stored:
        yield stored.file


def names_in(stream: BinaryIO, context: Context, profile: str) -> list[str]:
    """The names of channels in a file, in their order; FileProblem when there are suspiciously many or no row at all."""
    reader, table = open_recognised(stream, context, profile)
    names: dict[str, None] = {}
    rows = 0
    for name in reader.names(table):
        rows += 1
        if name:
            names.setdefault(name)
        if len(names) > MOST_CHANNELS:
            raise FileProblem("too_many_channels", most=MOST_CHANNELS)
    if not rows:
        raise FileProblem("no_rows")
    return list(names)
