"""A question that no longer fires although nobody has decided: what it is told by, and why it fell silent, in words."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from processes import selectors
from processes.models import Decision

BY_FIGURES = frozenset({"gone", "recovered"})
"""Ends of a breach that its figures have brought; the others somebody's hand or silence has."""


@dataclass(frozen=True)
class Changed:
    """`title`: what has changed, in a line; `why` without figures: everybody may read it."""

    title: str
    why: str


def changed_of(decision: Decision, *, refined: bool = False) -> Changed | None:
    """None while the rule fires, or somebody has decided. `refined`: days of the evidence read otherwise now."""
    return Changed(_title(decision), _why(decision, refined)) if selectors.evidence_changed(decision) else None


def told_by(decision: Decision, seen: dict) -> dict:
    """The evidence whose words head the question: of now, or of its opening where the rule fires no more.

    Late data may have taken the very days away that the question speaks of.
    """
    return decision.evidence or seen if selectors.evidence_changed(decision) else seen


def _title(decision: Decision) -> str:
    if decision.breach.closed_as in BY_FIGURES:
        return _("The evidence has changed: the rule no longer fires")
    return _("The rule no longer fires")


def _why(decision: Decision, refined: bool) -> str:
    if refined and decision.breach.closed_as in BY_FIGURES:
        return _("The figures were refined: by them the rule does not fire.")
    texts = {
        "recovered": _("The figures of later days came back to the right side of the line."),
        "paused": _("Seven days without spend and results: there is nothing to judge."),
        "stopped": _("It does not run any more: the rule does not look at it."),
        "disabled": _("The rule was switched off or does not look at it any more."),
    }
    by_now = _(
        "By the figures and the rule of now it does not fire: figures were refined or doubted, or the rule changed."
    )
    return texts.get(decision.breach.closed_as, by_now)
