"""The wrong rows of a file with what is wrong in each: to be put right in a spreadsheet and loaded again."""

from itertools import islice

from django.utils.translation import gettext as _

from kpis import problems, reading
from kpis.importers.deals import DealChecks, Deals
from kpis.importers.tables import Table
from kpis.models import Import
from kpis.selectors.imports import CHECKED
from roles.models import Company

MOST = 10_000
"""Wrong cells that are listed."""


def wrong_rows(*, company: Company, load: Import) -> list[list[str]]:
    """A heading, then a line for each wrong cell: row, column, what to do, and the row as it stands in the file.

    Personal columns are empty: they were never kept. Raises FileProblem when the file is not there any more.
    """
    with reading.opened(load) as stream:
        context, reader, table = reading.open_load(company, load, stream)
        found = _problems(load, reader, reader.read(table, context))
        header = [heading.strip() for heading in table.header]
    by_row: dict[int, list[dict]] = {}
    for problem in found:
        by_row.setdefault(problem.get("row") or 0, []).append(problem)
    with reading.opened(load) as stream:
        cells = _cells(reading.open_load(company, load, stream)[2], set(by_row))
    lines = [[_("Row"), _("Column"), _("What to do"), *header]]
    for row in sorted(by_row):
        for problem in by_row[row]:
            lines.append([str(row or ""), problem.get("field", ""), problems.sentence(problem), *cells.get(row, [])])
    return lines


def _problems(load: Import, reader, rows) -> list[dict]:
    """What is wrong in the file, in its order, and what the load itself found."""
    found: list[dict] = []
    seen: dict[tuple, int] = {}
    is_checked = not reader.FOLDS and not isinstance(reader, Deals)
    checks = DealChecks(load.mapping, load.company.local_date(load.created_at)) if isinstance(reader, Deals) else None
    for number, row in enumerate(rows):
        if checks:
            checks.check(row)
        found += [problem.as_json() for problem in row.problems]
        if is_checked and not row.problems and number < CHECKED:
            key = row.day, load.mapping.get(row.channel) or row.channel, row.campaign
            if (first := seen.setdefault(key, row.line)) != row.line:
                found.append({"row": row.line, "field": "", "code": "repeated", "value": str(first)})
        if len(found) >= MOST:
            return found[:MOST]
    told = {(one["code"], one.get("row")) for one in found}
    return found + [one for one in load.errors if one.get("row") and (one["code"], one["row"]) not in told]


def _cells(table: Table, wanted: set[int]) -> dict[int, list[str]]:
    rows = ((number, cells) for number, cells in table.rows() if number in wanted)
    return dict(islice(rows, len(wanted)))
