"""What a person has typed into the grid and not saved: kept on the server, filled by a paste, taken back by one undo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from kpis.importers import blocks, values
from kpis.importers.base import FileProblem
from kpis.importers.tables import normalise
from kpis.metrics import MetricInfo
from kpis.models import GridDraft
from kpis.problems import file_sentence
from kpis.reading import context_of
from kpis.selectors.column_maps import SYNONYMS
from kpis.selectors.measures import metrics_of
from kpis.selectors.typed import Typed, typed_figures
from kpis.typed import LONGEST, Place, Scope, cell_text, figure, place_of
from roles.models import Channel, Company, Membership
from roles.refusals import FieldError, Refused

MOST_CELLS = 5_000
MOST_LEFT = 50


class BadBlock(Refused):
    """What was pasted cannot be spread over the grid; the message says what to do."""

    code = "bad_block"


@dataclass(frozen=True)
class Grid:
    """What the person sees: the rows and metrics in their order, and the channel of a block that names none (None: not said);
    `shown`: the days and the channel asked for, to which an undo leads back."""

    rows: Sequence[Scope]
    codes: Sequence[str]
    channel: int | None = None
    shown: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def keep_draft(
    *, company: Company, by: Membership, at: datetime, cells: Mapping[Place, str], seen: Mapping[Scope, int]
) -> GridDraft:
    """Keep typed cells that are not saved yet beside those kept before; a cell that says what is stored leaves the draft.

    `seen` as in `typed.type_figures`; what was seen when the first cell of a row was typed counts. Writes no fact.
    """
    draft = _locked(company, by, at)
    stored = _stored(company, cells)
    metrics = metrics_of(company=company)
    for place, text in cells.items():
        if place.code not in metrics:
            continue
        if _says(text, metrics[place.code], stored, place):
            draft.cells.pop(place.name, None)
        else:
            draft.cells[place.name] = text.strip()[:LONGEST]
            draft.seen.setdefault(place.scope.name, seen.get(place.scope, 0))
    return _save(draft, at)


@transaction.atomic
def paste_block(
    *, company: Company, by: Membership, at: datetime, text: str, grid: Grid, anchor: Place | None = None
) -> GridDraft:
    """Spread a block of cells over the draft; `undo_paste` takes the whole of it back. Writes no fact.

    Lines without days go down from the `anchor` (the first cell where there is none). BadBlock when it is no block or
    nobody can tell whose figures they are; a wrong cell is kept as it is, for the grid to mark it.
    """
    metrics = metrics_of(company=company)
    start = grid.codes.index(anchor.code) if anchor and anchor.code in grid.codes else 0
    channels = {}
    for pk, code, name in Channel.objects.filter(company=company).values_list("pk", "code", "name"):
        channels |= {normalise(code): pk, normalise(name): pk}
    today = company.local_date(at)
    known = {name: code for code, names in SYNONYMS.items() for name in names if len(name) > 1}
    known |= {name: column.code for name, column in context_of(company, today).columns.items()}
    try:
        block = blocks.read_block(text, blocks.Known(known, channels, grid.codes[start:], today))
    except FileProblem as problem:
        raise _refused(file_sentence(problem)) from problem
    found, left = _spread(block, grid, anchor)
    cells = {
        place: _tidy(cell, metrics[place.code], block.sign) for place, cell in found.items() if place.code in metrics
    }
    draft = _locked(company, by, at)
    if len(draft.cells.keys() | {place.name for place in cells}) > MOST_CELLS:
        message = _("More than %(n)s cells would wait to be saved. Save what is typed, then paste the rest.")
        raise _refused(message % {"n": MOST_CELLS})
    stored = _stored(company, cells)
    before = {place.name: draft.cells.get(place.name) for place in cells}
    for place, cell in cells.items():
        if _says(cell, metrics[place.code], stored, place):
            draft.cells.pop(place.name, None)
        else:
            draft.cells[place.name] = cell
            draft.seen.setdefault(place.scope.name, stored.since(place.scope))
    problems = [problem.as_json() for problem in block.problems] + left
    draft.paste = {
        "before": before, "cells": len(cells), "lines": len(block.lines), "skipped": block.skipped[:20],
        "left": problems[:MOST_LEFT], "left_count": len(problems),
        "shown": dict(grid.shown),
    }  # fmt: skip
    return _save(draft, at)


@transaction.atomic
def undo_paste(*, company: Company, by: Membership, at: datetime) -> GridDraft:
    """Put back what the last paste replaced, in its own cells only; nothing to take back changes nothing."""
    draft = _locked(company, by, at)
    for name, text in draft.paste.get("before", {}).items():
        if text is None:
            draft.cells.pop(name, None)
        else:
            draft.cells[name] = text
    draft.paste = {}
    return _save(draft, at)


def drop_draft(*, company: Company, by: Membership) -> None:
    """Forget what this person has typed and not saved."""
    GridDraft.objects.filter(company=company, person=by).delete()


@transaction.atomic
def forget_saved(*, company: Company, by: Membership, at: datetime, places: Sequence[Place]) -> None:
    """Take cells that are saved now out of the draft; an empty draft goes."""
    draft = GridDraft.objects.select_for_update(no_key=True).filter(company=company, person=by).first()
    if draft is None:
        return
    for place in places:
        draft.cells.pop(place.name, None)
    draft.paste = {}
    _save(draft, at)


def _locked(company: Company, by: Membership, at: datetime) -> GridDraft:
    """This person's draft, made where there is none, held until the end of the transaction."""
    GridDraft.objects.get_or_create(company=company, person=by, defaults={"saved_at": at})
    return GridDraft.objects.select_for_update(no_key=True).get(company=company, person=by)


def _save(draft: GridDraft, at: datetime) -> GridDraft:
    rows = {place.scope.name for name in draft.cells if (place := place_of(name))}
    draft.seen = {name: load for name, load in draft.seen.items() if name in rows}
    draft.saved_at = at
    if not draft.cells and not draft.paste:
        draft.delete()
        return draft
    if len(draft.cells) > MOST_CELLS:
        raise _refused(_("More than %(n)s cells would wait to be saved. Save what is typed.") % {"n": MOST_CELLS})
    draft.save()
    return draft


def _stored(company: Company, places) -> Typed:
    days = [place.day for place in places]
    if not days:
        return Typed()
    channels = {place.channel_id for place in places}
    metrics = metrics_of(company=company).values()
    return typed_figures(company=company, start=min(days), end=max(days), metrics=metrics, channels=channels)


def _says(text: str, info: MetricInfo, stored: Typed, place: Place) -> bool:
    """Does the text say what is stored already?"""
    try:
        return figure(text, info) == stored.values.get(place)
    except values.CellError:
        return False


def _tidy(text: str, info: MetricInfo, sign: str | None) -> str:
    """A cell of a block as it is typed, its decimal sign told by the whole block; as it was, where it is no figure."""
    try:
        return cell_text(figure(text, info, sign))
    except values.CellError:
        return text.strip()[:LONGEST]


def _spread(block: blocks.Block, grid: Grid, anchor: Place | None) -> tuple[dict[Place, str], list[dict]]:
    """The places that the cells of a block are meant for, and the lines that found none."""
    channel = _channel_of(block, grid, anchor)
    first = grid.rows.index(anchor.scope) if anchor and anchor.scope in grid.rows else 0
    found: dict[Place, str] = {}
    left: list[dict] = []
    lines: dict[Scope, int] = {}
    for offset, line in enumerate(block.lines):
        if block.dated:
            day, own = line.day, line.channel if block.named else channel
        else:
            row = grid.rows[first + offset] if first + offset < len(grid.rows) else None
            if row is None:
                left.append({"row": line.number, "field": "", "code": "beyond_grid", "value": ""})
                continue
            day, own = row.day, line.channel if block.named else row.channel_id
        for (of, code), text in line.cells.items():
            if day is None or (target := of or own) is None:
                continue
            place = Place(day, target, code)
            if place in found and (first_line := lines[place.scope]) != line.number:
                left.append({"row": line.number, "field": "", "code": "repeated_line", "value": str(first_line)})
                break
            found[place] = text
            lines.setdefault(place.scope, line.number)
    return found, left


def _channel_of(block: blocks.Block, grid: Grid, anchor: Place | None) -> int | None:
    """Whose figures a dated block without a column of channels holds."""
    if not block.dated or block.named or all(of for line in block.lines for of, _code in line.cells):
        return None
    shown = {scope.channel_id for scope in grid.rows}
    channel = grid.channel or (anchor.channel_id if anchor else None) or (shown.pop() if len(shown) == 1 else None)
    if channel is None:
        raise _refused(_("Say whose figures these are: choose a channel, or add a column with the channels."))
    return channel


def _refused(message: str) -> BadBlock:
    return BadBlock(message, [FieldError("block", "bad_block", str(message))])


def range_of(draft: GridDraft) -> tuple[date, date] | None:
    """The days that the last paste wrote to; None where it wrote nothing."""
    days = [place.day for name in draft.paste.get("before", {}) if (place := place_of(name))]
    return (min(days), max(days)) if days else None
