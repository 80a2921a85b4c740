"""Long streams in pieces, so that one piece is in memory."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of at most so many items, in their order."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
