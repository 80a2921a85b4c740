"""Translations without gettext: catalogues compiled by polib, messages found by Django's own template reader and Babel.

msgids are English; `<app>/locale/ru/LC_MESSAGES/django.po` is complete, which a test checks.
"""

import ast
import gettext
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.utils.translation import activate, get_language, trans_real

KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2),
    "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip

Message = tuple[str, str]
"""(context, msgid); the context is empty for most."""


def catalogues() -> list[Path]:
    return [path for folder in settings.LOCALE_PATHS for path in sorted(Path(folder).glob("*/LC_MESSAGES/*.po"))]


def compile_all() -> list[Path]:
    """Compile every catalogue whose .mo is missing or older than its .po; returns those compiled."""
    import polib

    made = []
    for path in catalogues():
        target = path.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < path.stat().st_mtime:
            fresh = target.with_suffix(f".mo.{id(path)}")
            polib.pofile(str(path)).save_as_mofile(str(fresh))
            fresh.replace(target)
            made.append(target)
    if made:
        _forget_loaded()
    return made


def _forget_loaded() -> None:
    """Let this process read the catalogues anew: it may have met a message before they were there."""
    gettext._translations.clear()
    trans_real._translations.clear()
    trans_real._default = None
    language = get_language()
    if language:
        activate(language)


def translated() -> set[Message]:
    """What the Russian catalogues answer, fuzzy and empty entries left out."""
    import polib

    return {
        (entry.msgctxt or "", entry.msgid)
        for path in catalogues()
        for entry in polib.pofile(str(path)).translated_entries()
    }


def used() -> Iterator[tuple[Message, str]]:
    """Every message of our Python files and templates, with the file it stands in (a development tool: needs Babel)."""
    from babel.messages.extract import extract
    from django.utils.translation import template as template_reader

    for path in _sources():
        text = path.read_text()
        text = text + _inside_f_strings(text) if path.suffix == ".py" else template_reader.templatize(text, str(path))
        for _line, found, _comments, context in extract("python", BytesIO(text.encode()), keywords=KEYWORDS):
            msgid = found if isinstance(found, str) else found[0]
            if msgid:
                yield (context or "", msgid), str(path.relative_to(settings.BASE_DIR))


def _inside_f_strings(code: str) -> str:
    """What stands between the braces of f-strings, a line each: Babel's reader sees them as plain text."""
    holes = [
        hole.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.JoinedStr)
        for hole in node.values if isinstance(hole, ast.FormattedValue)
    ]  # fmt: skip
    return "".join(f"\n{ast.unparse(hole)}" for hole in holes)


def _sources() -> Iterator[Path]:
    for folder in ("mops", "roles", "kpis", "processes", "reports"):
        for path in (settings.BASE_DIR / folder).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path
    for path in (settings.BASE_DIR / "templates").rglob("*"):
        if path.suffix in {".html", ".txt"}:
            yield path
