"""The readers, the most particular first, and which of them reads a heading."""

from kpis.importers import canonical, multi_platform, platforms
from kpis.importers.base import Context, FileProblem, Reader

READERS: tuple[Reader, ...] = (multi_platform, canonical, *platforms.ALL, *platforms.CRMS)
CODES = frozenset(reader.CODE for reader in READERS)
CRMS = tuple(reader.CODE for reader in platforms.CRMS)
RECOUNT = "deals"
"""Profile of a load that no file made: rules or stages changed, and the facts of the deals with them."""
PROFILES = (*CRMS, RECOUNT)
"""Profiles of loads that are of deals, not of days."""


def reader_of(code: str, context: Context) -> Reader:
    """The reader by its name; FileProblem for one that does not exist."""
    for reader in (*context.own, *READERS):
        if code == reader.CODE:
            return reader
    raise FileProblem("unknown_profile", name=code)


def recognise(header: list[str], context: Context, code: str = "") -> Reader | None:
    """The first reader that knows the heading, what was mapped by hand before all; only the named one where a name is given."""
    asked = (reader_of(code, context),) if code else (*context.own, *READERS)
    return next((reader for reader in asked if reader.sniff(header, context)), None)
