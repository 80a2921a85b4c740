"""Loading a folder that nightly exports fall into: `<folder>/<code of the source>/<file>`, with the wizard's own memory."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.core.files import File

from kpis import problems
from kpis.models import Import, Source
from kpis.services import import_runs, imports
from kpis.services.sources import CODE, ensure_source
from kpis.services.units import remembered_scale
from roles.models import Company, Membership
from roles.refusals import Refused

LOADED, WRONG = "loaded", "wrong"
"""Where a file goes after its load: beside the others of its source."""
STILL_WRITTEN = 5.0
"""Seconds without a change after which a file counts as written to its end."""


@dataclass(frozen=True)
class Outcome:
    """What became of a file. `state`: loaded, wrong (moved away), or waits (left in place until somebody has chosen)."""

    path: Path
    state: str
    message: str
    load: Import | None = None


def load_folder(*, company: Company, by: Membership, at: datetime, folder: Path) -> list[Outcome]:
    """Load every file whose channels and rate are known from earlier loads of its source; the others wait on their page.

    Doing it again loads nothing twice: a file that was loaded lies in `loaded/`, and the same figures change nothing.
    """
    return [_load(company, by, at, source, path) for source, path in _files(company, by, at, folder)]


def _files(company: Company, by: Membership, at: datetime, folder: Path) -> Iterator[tuple[Source, Path]]:
    for inside in sorted(path for path in folder.iterdir() if path.is_dir() and CODE.fullmatch(path.name)):
        paths = [path for path in sorted(inside.iterdir()) if _is_ready(path)]
        if paths:
            code = inside.name.lower()
            source = ensure_source(company=company, code=code, name=inside.name, kind=Source.Kind.FILE, at=at, by=by)
            yield from ((source, path) for path in paths)


def _is_ready(path: Path) -> bool:
    is_file = path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    return is_file and time.time() - path.stat().st_mtime >= STILL_WRITTEN


def _load(company: Company, by: Membership, at: datetime, source: Source, path: Path) -> Outcome:
    with path.open("rb") as stream:
        try:
            load = imports.receive_file(
                company=company, by=by, at=at, source=source, upload=File(stream, name=path.name)
            )  # fmt: skip
        except Refused as refusal:
            return Outcome(_move(path, WRONG), WRONG, refusal.message)
    if load.state == Import.State.PREVIEW:
        rate = imports.last_rate(load=load)
        try:
            scale = remembered_scale(company=company, load=load, rate=rate)
            imports.confirm_import(
                company=company, by=by, at=at, load=load, mapping=load.mapping, rate=rate, scale=scale
            )  # fmt: skip
        except Refused as refusal:
            return Outcome(path, "waits", refusal.message, load)
    import_runs.run_due_imports(company=company, at=at)
    load.refresh_from_db()
    if load.state == Import.State.DONE:
        counts = f"{load.created} + {load.changed}, {load.unchanged} ="
        return Outcome(_move(path, LOADED), LOADED, counts, load)
    if load.state == Import.State.FAILED:
        return Outcome(_move(path, WRONG), WRONG, problems.shown(load.errors)[0]["message"], load)
    return Outcome(path, "waits", str(load.get_state_display()), load)


def _move(path: Path, name: str) -> Path:
    """Into the subfolder; a file of the same name that lies there keeps its place."""
    target = path.parent / name / path.name
    target.parent.mkdir(exist_ok=True)
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{path.stem}-{number}{path.suffix}")
    return path.rename(target)
