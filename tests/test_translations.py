"""The Russian screen is complete: every message of the code and the templates has its translation."""

import re

import pytest

from mops import translations


def test_every_message_has_a_russian_translation():
    known = translations.translated()
    missing = sorted({f"{place}: {message[1]}" for message, place in translations.used() if message not in known})

    assert missing == []


def test_no_catalogue_keeps_what_nobody_says_any_more():
    asked = {message for message, _place in translations.used()}

    assert sorted(translations.translated() - asked) == []


def test_extraction_sees_templates_and_code():
    found = {message[1] for message, _place in translations.used()}

    assert {"Main menu", "There is no such page"} <= found
    assert "SR" in found, "it stands inside an f-string"


def test_no_code_calls_gettext_by_a_name_that_extraction_does_not_know():
    """Such a message is found by nobody and stays English on a Russian screen."""
    named = re.compile(r"gettext\w* as (\w+)")
    unknown = [
        f"{path.name}: {name}"
        for path in translations._sources() if path.suffix == ".py"
        for name in named.findall(path.read_text()) if name not in translations.KEYWORDS
    ]  # fmt: skip

    assert unknown == []


@pytest.mark.parametrize("path", translations.catalogues(), ids=str)
def test_placeholders_survive_translation(path):
    import polib

    names = re.compile(r"%\((\w+)\)")
    for entry in polib.pofile(str(path)):
        texts = [entry.msgstr] if entry.msgstr else list(entry.msgstr_plural.values())
        wanted = set(names.findall(entry.msgid)) | set(names.findall(entry.msgid_plural or ""))
        for text in texts:
            assert set(names.findall(text)) == wanted, entry.msgid
