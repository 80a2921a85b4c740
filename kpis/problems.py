"""What is wrong with a file, a row or a figure, as sentences that say what to do. The database keeps the codes."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from kpis.importers.base import FileProblem
from roles import formats
from roles.refusals import FieldError

FILE = {
    "empty": _("The file is empty: there is nothing to load. Export the report again and check that it has rows."),
    "no_rows": _("The file has a heading but no rows under it. Export the report again for a period with figures."),
    "old_excel": _(
        "This is a workbook of an old Excel (.xls). Open it, save it as .xlsx or “CSV UTF-8” and upload that file."
    ),
    "broken_workbook": _("The workbook cannot be opened: it is cut off or damaged. Export it again."),
    "bomb": _(
        "Unpacked, this workbook would take far more than %(most)s MB. Export only the sheet with figures, or CSV."
    ),
    "totals_beside_campaigns": _(
        "Rows without a campaign stand beside campaigns of the same channel and day, and nobody has said whether they are totals. Load the file by its page and say it."
    ),
    "two_currencies": _("The file holds money of several currencies: %(found)s. Export each of them by itself."),
    "picture": _("This is a picture, whatever its name says. Export the report as CSV and upload that file."),
    "pdf": _("This is a PDF. Export the report as CSV and upload that file."),
    "archive": _("This is an archive. Unpack it and upload the CSV that is inside."),
    "database": _("This is a database file. Export the report as CSV and upload that file."),
    "page": _(
        "This is a web page, not a table: perhaps the export asked you to sign in. Export the report as CSV again."
    ),
    "binary": _("This is not a text table. Export the report as CSV and upload that file."),
    "no_known_columns": _(
        "No table with days was found. The file needs a line of headings, a column with days and at least one with figures. Found: %(found)s."
    ),
    "garbled": _(
        "The letters of the file are broken: %(found)s. Export it again, or save it as “CSV UTF-8” in the program where its letters are right."
    ),
    "too_wide": _("The table has %(n)s columns; at most %(most)s are read. Export only the columns with figures."),
    "column_twice": _("Two columns hold one metric: “%(first)s” and “%(second)s”. Leave one of them."),
    "broken_quotes": _(
        "From line %(row)s on, the quotes do not match: the file is cut off or damaged. Export it again."
    ),
    "file_too_large": _("The file is larger than %(most)s MB. Split it by period and load the parts one by one."),
    "too_many_channels": _(
        "There are more than %(most)s different channels in the file. Check which column holds the channel."
    ),
    "too_many_campaigns": _(
        "There are more than %(most)s campaigns in the file. Check which column holds the campaign."
    ),
    "unknown_profile": _("There is no file format “%(name)s”. Leave the format out: it is recognised by the heading."),
    "sum_too_large": _(
        "The rows of one day add up to more than can be true. Check the unit: perhaps it is in millionths."
    ),
    "columns_changed": _(
        "Meanwhile somebody has said something else about the columns of such files. Upload the file again and look at it."
    ),
    "metric_gone": _("The metric “%(name)s” is not there any more. Say again which column holds what."),
    "no_heading_there": _(
        "Row %(row)s holds no headings: at least two cells are needed, within the first %(most)s rows. Count the rows as a spreadsheet does."
    ),
    "no_block": _("There are no figures in what was pasted. Copy the cells from a spreadsheet and paste them again."),
    "block_too_large": _(
        "At most %(rows)s rows of %(columns)s columns are pasted at once. Paste a part, or load the file."
    ),
    "gone": _("The uploaded file is not there any more. Upload it again."),
    "broke_off": _(
        "The load broke off %(n)s times. Nothing was written. Upload the file again or tell the administrator."
    ),
}

CELL = {
    "required": _("Fill it in: a row needs it."),
    "unknown_field": _("There is no metric “%(value)s”. Take its code from the list of metrics."),
    "not_a_number": _("“%(value)s” is not a number. Write 1234.5 or 1 234,5; leave the cell empty if the figure is unknown."),
    "nan": _("“%(value)s” is not a figure. Leave the cell empty if it is unknown."),
    "exponent": _("“%(value)s” was shortened by a spreadsheet. Format the column as a number or text and export again."),
    "ambiguous_number": _("“%(value)s” can be read in two ways. Write 1234 or 1,23 without grouping."),
    "per_cent": _("“%(value)s” is a share, and here stands a sum of the day. Type the figure the share is made of."),
    "beyond_grid": _("The grid has no row for this line: show more days, or add a column with the days."),
    "repeated_line": _("The same day and channel stand in line %(value)s too; this line was left out."),
    "negative": _("“%(value)s” is below zero: only revenue and gross profit may be. Put the correction into the day it belongs to."),
    "too_large": _("“%(value)s” is too large to be true. Check the unit: perhaps it is in millionths."),
    "no_date": _("The date is empty. Fill it in, or remove the row."),
    "bad_date": _("“%(value)s” is not a date. Write 2026-11-20 or 20.11.2026."),
    "ambiguous_date": _("“%(value)s” can be two different days. Write 2026-11-20 or 20.11.2026."),
    "period_row": _("The row covers several days from “%(value)s” on. Export the report by days, or say that it may be spread over them."),
    "no_days": _("The file does not say the day of its rows. Say which period it covers, or export the report by days."),
    "bad_period": _("The period ends on “%(value)s”: before it begins, or more than a year after. Check its first and last day."),
    "period_not_over": _("The period ends on “%(value)s”, which has not come yet. Load the file when it is over."),
    "another_weekday": _("The week from “%(value)s” begins on another weekday than the rows above: weeks would overlap. Check the date."),
    "not_first_of_month": _("A row of a month begins on its first day, and this one on “%(value)s”. Check the date, or say that rows are days or weeks."),
    "month_not_over": _("The month from “%(value)s” is not over yet. Remove the row, or load the file when the month has ended."),
    "week_not_over": _("The week from “%(value)s” is not over yet. Remove the row, or load the file when the week has ended."),
    "too_old": _("“%(value)s” is before the year 2000. Check the date."),
    "future_date": _("“%(value)s” has not come yet. Facts are loaded for days that have begun; check the date."),
    "no_deal_id": _("The deal has no id. Add the column with the deals' ids to the export."),
    "no_stage": _("The deal has no stage. Fill it in, or remove the row."),
    "deal_twice": _("The deal of row %(value)s stands here again and says something else. Leave the row that is true; if these are two deals, export them with their ids."),
    "negative_deal": _("“%(value)s” is below zero: a deal's amount cannot be. Check it in the CRM."),
    "another_currency": _("The deal is in %(value)s, the ones above are in another currency. Export each currency by itself."),
    "won_in_future": _("The deal is won and closes on “%(value)s”, which has not come yet. Check its date in the CRM."),
    "no_channel": _("The channel is empty. Fill it in, or remove the row."),
    "unknown_channel": _("There is no channel “%(value)s”. Use the code of a channel that exists, or add the channel first."),
    "channel_of_nobody": _("No channel is chosen for “%(value)s”. Choose one, or leave these rows out."),
    "short_row": _("The row has fewer cells than the heading: the file may be cut off. Export it again."),
    "long_row": _("The row has more cells than the heading: a separator stands inside a value. Put such values in quotes."),
    "repeated": _("The same channel, campaign and day stand in row %(value)s too. Leave one of the rows."),
    "name_too_long": _("“%(value)s” is longer than 120 characters. Shorten it."),
    "bad_source": _("A source's code has Latin letters, digits and hyphens, 40 at most: for example crm."),
    "not_text": _("Write it as text in quotes, or null for none."),
    "not_an_object": _("A row must be an object with channel, date and metrics."),
}  # fmt: skip


def file_sentence(problem: FileProblem) -> str:
    """What is wrong with a file and what to do, in the reader's language."""
    return sentence({"code": problem.code, **problem.params})


def sentence(problem: dict) -> str:
    """One stored problem {"code", "value"?, …} as a sentence in the reader's language."""
    code = problem["code"]
    text = FILE.get(code) or CELL.get(code) or code
    params = {name: formats.number(value) if isinstance(value, int) else value for name, value in problem.items()}
    return str(text) % {"value": "", "found": formats.NOTHING, **params}


def field_error(field: str, code: str, value="", index: int | None = None) -> FieldError:
    """A refusal of one figure, for the API and forms."""
    return FieldError(printable(field), code, sentence({"code": code, "value": printable(value)}), index)


def printable(value) -> str:
    """What was sent, short and fit to be sent back."""
    return str(value)[:60].encode("utf-8", "replace").decode()


def shown(errors: Iterable[dict]) -> list[dict]:
    """Stored problems for a screen: row, field, message."""
    return [{**error, "message": sentence(error)} for error in errors]
