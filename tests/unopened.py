"""Figures of a page that open to nothing."""

import re

from lxml import html

CELLS = (
    "//main//td[contains(concat(' ', @class, ' '), ' num ')] | //main//dd[contains(concat(' ', @class, ' '), ' v ')]"
    " | //main//*[contains(concat(' ', @class, ' '), ' burn ')]/b | //main//*[contains(concat(' ', @class, ' '), ' sum ')]"
)
ASIDE = ".//a | .//small | .//button | .//input | .//*[contains(concat(' ', @class, ' '), ' vh ')]"
"""What opens, remarks beside the figure, and what is no figure."""


def unopened(content: str) -> list[tuple[str, str]]:
    """(heading, figure) of every figure in a table, a tile or a list that is no link; a plan or a count of things is one, too."""
    found = []
    if not content:
        return found
    for cell in html.fromstring(content).xpath(CELLS):
        if cell.xpath("ancestor::a | ancestor::form | ancestor::*[@hidden]"):
            continue
        text = cell.text_content()
        for part in cell.xpath(ASIDE):
            text = text.replace(part.text_content(), "", 1)
        if re.search(r"\d", text):
            found.append((_heading(cell), " ".join(text.split())))
    return found


def _heading(cell) -> str:
    """What a figure is called: of a tile its term, of a table its column."""
    if cell.tag == "dd":
        return _words(cell.xpath("preceding-sibling::dt[1]"))
    if cell.tag != "td":
        return str(cell.get("class") or cell.getparent().get("class"))
    if cell.get("data-l"):
        return cell.get("data-l").partition(",")[0]
    place = sum(int(before.get("colspan", 1)) for before in cell.xpath("preceding-sibling::td | preceding-sibling::th"))
    heads = cell.xpath("ancestor::table[1]/thead/tr[last()]/th")
    return _words(heads[place : place + 1])


def _words(elements: list) -> str:
    return " ".join(elements[0].text_content().split()).partition(",")[0] if elements else ""
