"""How a channel's state looks: the mark of the design for each code. No queries."""

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """A channel's state as a mark of the design: `mark` (st-…) is its shape and colour, `code` picks the word."""

    code: str
    mark: str

    @property
    def is_hot(self) -> bool:
        return self.code == "firing"


MARKS = {
    "firing": "stop", "pending": "watch", "muted": "wait", "recovering": "watch", "no_data": "none", "ok": "ok",
    "stopped": "pause", "paused": "pause", "planned": "wait", "unruled": "none", "disabled": "pause",
}  # fmt: skip
