"""The tables of a page as values: what is on the screen is in the file, because the file is read off the screen.

Any page with a `<table>` can be downloaded this way, whoever wrote it and whatever its reader may see of it.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest

from reports.tables import Cell, Column, Kind, Table
from roles.written import read_back

HIDDEN = {"svg", "script", "style", "form", "button", "template", "dialog"}
BLOCKS = {"br", "p", "div", "li", "small", "dt", "dd", "h3"}
QUIET, UNPRINTED = "vh", "no-print"


def read_page(html: str) -> tuple[str, list[Table]]:
    """What the page is called, and every table of its main part in their order; those without rows are left out."""
    from lxml import html as markup

    page = markup.document_fromstring(html)
    title = (page.findtext(".//title") or "").partition(" · ")[0].strip()
    main = page.find(".//main")
    found = [] if main is None else [_table(table) for table in main.iter("table")]
    return title, [table for table in found if table.rows]


def _table(found) -> Table:
    head = _grid(found.iterfind("./thead/tr"))
    body = _grid([*found.iterfind("./tbody/tr"), *found.iterfind("./tr")])
    foot = _grid(found.iterfind("./tfoot/tr"))
    width = max((len(row) for row in (*head, *body, *foot)), default=0)
    names = [" · ".join(dict.fromkeys(filter(None, map(_text, cells)))) for cells in zip_longest(*head)] if head else []
    names += [""] * (width - len(names))
    told = [[_value(cell) for cell in row] for row in (*body, *foot)]
    rows = [row + [("text", None)] * (width - len(row)) for row in told]
    kinds = [_kind(row[place] for row in rows) for place in range(width)]
    kept = [place for place in range(width) if names[place] or any(row[place][1] is not None for row in rows)]
    return Table(
        _name(found), [Column(names[place], kinds[place]) for place in kept],
        [[row[place][1] for place in kept] for row in rows], total=bool(foot),
    )  # fmt: skip


def _value(cell) -> tuple[str, Cell]:
    """(kind, value) of what a cell shows; of a count shown whole the exact one, which its `<data>` holds."""
    shown = _text(cell)
    exact = [] if cell is None else [one for one in cell.iter("data") if _joined(one, quiet=False) == shown]
    return ("count", Decimal(exact[0].get("value"))) if exact else read_back(shown)


def _kind(cells: Iterator[tuple[str, Cell]]) -> Kind:
    """Of a column whose values are all of one kind that kind; of one with figures of several, a bare number."""
    kinds = {kind for kind, value in cells if value is not None}
    if len(kinds) == 1:
        return Kind(kinds.pop())
    return Kind.COUNT if kinds and "text" not in kinds and "date" not in kinds else Kind.TEXT


def _grid(rows) -> list[list]:
    """Cells at their places: one that spans several stands in the first, the others are None."""
    grid: list[list] = []
    below: set[tuple[int, int]] = set()
    for line, row in enumerate(rows):
        cells: list = []
        for cell in row.iterfind("./*"):
            while (line, len(cells)) in below:
                cells.append(None)
            wide, high = int(cell.get("colspan", 1)), int(cell.get("rowspan", 1))
            below |= {(line + down, len(cells) + right) for down in range(1, high) for right in range(wide)}
            cells += [cell, *[None] * (wide - 1)]
        grid.append(cells)
    return grid


def _text(cell) -> str:
    """What a cell shows; what only a screen reader hears, or a picture's label, stands in where it shows no words. A field
    tells its value."""
    if cell is None:
        return ""
    shown = _joined(cell, quiet=False) or _joined(cell, quiet=True)
    return shown or " ".join(label for one in cell.iter() if (label := one.get("aria-label")))


def _joined(cell, *, quiet: bool) -> str:
    """Words of one line are joined by a space; non-breaking spaces stay, they belong to figures."""
    text = "".join(_parts(cell, quiet))
    return " ".join(part for part in text.replace("\n", " ").replace("\t", " ").split(" ") if part)


def _parts(element, quiet: bool) -> Iterator[str]:
    classes = element.get("class", "").split()
    if not isinstance(element.tag, str) or element.tag in HIDDEN or UNPRINTED in classes:
        return
    if QUIET in classes and not quiet:
        return
    if element.tag in {"input", "textarea"}:
        yield element.get("value") or element.text or ""
        return
    yield " " if element.tag in BLOCKS else ""
    yield element.text or ""
    for child in element:
        yield from _parts(child, quiet)
        yield child.tail or ""
    yield " " if element.tag in BLOCKS else ""


def _name(found) -> str:
    """Its caption, or the nearest heading above it."""
    caption = found.find("./caption")
    if caption is not None and (text := _joined(caption, quiet=True)):
        return text
    for holder in found.iterancestors("section", "figure", "main"):
        for heading in holder.iter("h1", "h2", "h3", "figcaption"):
            if text := _joined(heading, quiet=True):
                return text
    return ""
