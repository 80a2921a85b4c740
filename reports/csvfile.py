"""Tables as CSV files for a spreadsheet: in the reader's notation, and no text of a user is ever run as a formula."""

import csv
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from reports.selectors.channel_rows import Group, Row

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def text(value) -> str:
    """A cell of text. Spreadsheets run what begins with these signs: an apostrophe before them keeps it text."""
    value = "" if value is None else str(value)
    return f"'{value}" if value.lstrip().startswith(FORMULA_SIGNS) or value.startswith(FORMULA_SIGNS) else value


def number(value: Decimal | None, places: int = 2) -> str:
    """A cell with a number; empty where it is unknown. The decimal sign is the reader's."""
    if value is None:
        return ""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    written = f"{rounded:f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return written.replace(".", ",") if _russian() else written


def _russian() -> bool:
    return (get_language() or "ru").startswith("ru")


def write(rows: Iterable[list[str]]) -> str:
    """Semicolons for Russian spreadsheets, where the comma is the decimal sign; a BOM, so that they read UTF-8."""
    buffer = StringIO()
    csv.writer(buffer, delimiter=";" if _russian() else ",").writerows(rows)
    return "\ufeff" + buffer.getvalue()


def channel_table(groups: list[Group], total: Row) -> str:
    """The dashboard's channels: one line each, then all of them. Money in full units, ROMI as a share."""
    head = [
        _("Channel"), _("Code"), _("Kind"), _("Owner"), _("Leads"), "CPL", "CAC", _("Spend"), _("Gross profit"),
        _("Earned"), "ROMI", _("Plan of earnings to date"),
    ]  # fmt: skip
    rows = [
        [
            text(row.channel.name),
            text(row.channel.code),
            text(group.kind.label),
            text(row.channel.owner),
            *_figures(row),
        ]
        for group in groups
        for row in group.rows
    ]
    return write([head, *rows, [_("All channels"), "", "", "", *_figures(total)]])


def _figures(row: Row) -> list[str]:
    return [
        number(row.metrics["leads"]), number(row.kpis.get("cpl")), number(row.kpis.get("cac")),
        number(row.metrics["spend"]), number(row.metrics["gross_profit"]), number(row.earned), number(row.romi, 4),
        number(row.plan),
    ]  # fmt: skip
