"""Text as it stands on a slide: no short word left alone at the end of a line, and a size at which it fits."""

import re
from math import ceil

NBSP = "\u00a0"
SHORT_WORD = re.compile(r"(?<![\w-])([а-яёa-z]{1,2}|без|для|при|над|под|или|что|как) (?=\S)", re.IGNORECASE)
BEFORE_DASH = re.compile(r" (?=[—–] )")
WIDTH, HEIGHT = 0.54, 1.22
"""Mean width of a Cyrillic letter and height of a line, in shares of the size of the font."""


def tidy(text: str) -> str:
    """Keeps prepositions with the word they belong to, and a dash with the word before it."""
    return BEFORE_DASH.sub(NBSP, SHORT_WORD.sub(rf"\1{NBSP}", text))


def lines_of(text: str, width: float, size: float) -> int:
    """About how many lines the text takes in a box of this width (points) at this size of font (points)."""
    fit = max(1, int(width / (size * WIDTH)))
    return sum(max(1, ceil(len(line) / fit)) for line in text.splitlines() or [""])


def size_for(text: str, width: float, height: float, sizes: tuple[int, ...]) -> int | None:
    """The first of these sizes (points, largest first) at which the text fits the box (points); None where none does."""
    for size in sizes:
        if lines_of(text, width, size) * size * HEIGHT <= height:
            return size
    return None


def shortened(text: str, width: float, height: float, size: int) -> str:
    """As much of the text as fits at this size, cut between words, with an ellipsis. The whole stands in the notes."""
    words = text.split(" ")
    while len(words) > 1 and size_for(" ".join(words) + "…", width, height, (size,)) is None:
        words.pop()
    return " ".join(words).rstrip(".,;:— ") + "…"
