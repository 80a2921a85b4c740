"""From deals to days: whose channel a deal's marks tell, which day it belongs to, and the daily figures. No query here.

Leads and qualified leads count on the day a deal came; deals, revenue and new customers on the day it was made (where the
CRM does not say when, on the day it came). The figures depend on the deals alone, never on the order they were loaded in.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from kpis.importers import stages

METRICS = ("leads", "qualified_leads", "deals", "revenue", "new_customers")
PATTERNS = ("utm_source", "utm_medium", "utm_campaign", "utm_content")
EMPTY = "-"
Key = tuple[int, int, date]
"""Channel, campaign (0: none), day."""
LOOKALIKES = str.maketrans("асеорхукмтвніјѕ", "aceopxykmtbhijs")


@lru_cache(maxsize=2_000)
def _compiled(pattern: str) -> re.Pattern:
    text = re.escape(pattern.casefold()).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.DOTALL)


def fits(pattern: str, mark: str) -> bool:
    """Does a mark fit one pattern of a rule (see UtmRule)?"""
    if not pattern:
        return True
    return not mark if pattern == EMPTY else bool(_compiled(pattern).fullmatch(mark.casefold()))


def rule_for(marks: tuple[str, ...], rules: Iterable):
    """The first of the rules, which come in their order, that fits (source, medium, campaign, content); None: none does."""
    return next((r for r in rules if all(map(fits, (getattr(r, name) for name in PATTERNS), marks))), None)


def is_mixed(mark: str) -> str:
    """The Latin text that a mark of Cyrillic and Latin letters looks like; empty where it is of one alphabet."""
    has_both = re.search(r"[a-z]", mark.casefold()) and re.search(r"[а-яё]", mark.casefold())
    told = mark.casefold().translate(LOOKALIKES)
    return told if has_both and not re.search(r"[а-яё]", told) else ""


def marks_of(deal) -> tuple[str, ...]:
    """The marks a rule is compared with, in the order of PATTERNS."""
    return tuple(getattr(deal, name) for name in PATTERNS)


@dataclass
class Meaning:
    """All that a deal's place depends on: kinds of stages, rules in their order, stages that each deal has ever been in.

    `campaigns`: (channel, id or name in lower case) → campaign. `missing`: campaigns that marks name and nobody made yet.
    """

    kinds: dict[str, str]
    rules: list
    seen: dict[str, set[str]]
    campaigns: dict[tuple[int, str], int] = field(default_factory=dict)
    missing: dict[tuple[int, str], str] = field(default_factory=dict)
    _found: dict[tuple[str, ...], object] = field(default_factory=dict)

    def rule(self, marks: tuple[str, ...]):
        if marks not in self._found:
            self._found[marks] = rule_for(marks, self.rules)
        return self._found[marks]

    def campaign(self, rule, mark: str) -> int | None:
        """The campaign a rule sends a deal to; one that does not exist yet is noted as missing."""
        if rule.campaigns == "one":
            return rule.campaign_id
        external = mark.strip()[:120]
        if rule.campaigns == "none" or not external:
            return None
        key = rule.channel_id, external.casefold()
        if key not in self.campaigns:
            self.missing.setdefault(key, external)
        return self.campaigns.get(key)

    def settle(self, deal) -> bool:
        """Put the deal to its kind, day, channel and campaign; True when any of them changed."""
        kind = self.kinds.get(deal.stage) or stages.guess_kind(deal.stage) or stages.NEW
        before = {self.kinds.get(stage, "") for stage in self.seen.get(deal.external_id, ())}
        good = {stages.QUALIFIED, stages.WON}
        rule = self.rule(marks_of(deal))
        found = {
            "kind": kind,
            "qualified": kind in good or (kind == stages.LOST and bool(before & good)),
            "day": (deal.closed_on or deal.created_on) if kind in {stages.WON, stages.LOST} else deal.created_on,
            "channel_id": rule.channel_id if rule else None,
            "campaign_id": self.campaign(rule, deal.utm_campaign) if rule else None,
        }
        changed = {name: value for name, value in found.items() if getattr(deal, name) != value}
        for name, value in changed.items():
            setattr(deal, name, value)
        return bool(changed)


def figures(deals: Iterable, firsts: dict[str, str], *, is_every_deal: bool = False) -> dict[Key, list[Decimal | None]]:
    """The daily figures of settled deals of one source that have a channel, in the order of METRICS; None: unknown.

    `deals` are read once; `firsts`: see `first_purchases`. `is_every_deal`: the CRM holds every deal, so a day without one
    is a known zero, from the first day of each channel and campaign to the last day of all.
    """
    found: dict[Key, list[Decimal | None]] = {}
    last: date | None = None
    for deal in deals:
        scope = deal.channel_id, deal.campaign_id or 0
        last = max(last or deal.created_on, deal.created_on)
        came = found.setdefault((*scope, deal.created_on), _zeros())
        came[0] += deal.kind != stages.JUNK
        came[1] += deal.qualified
        if deal.kind == stages.WON:
            made = found.setdefault((*scope, deal.day), _zeros())
            made[2] += 1
            _add(made, 3, deal.amount)
            _add(made, 4, _is_new(deal, firsts))
    if is_every_deal and last:
        _fill(found, last)
    return found


def _zeros() -> list[Decimal | None]:
    return [Decimal(0)] * len(METRICS)


def _add(values: list[Decimal | None], place: int, value: Decimal | None) -> None:
    """A sum with an unknown part is unknown."""
    values[place] = None if value is None or values[place] is None else values[place] + value


def first_purchases(made: Iterable[tuple[str, date, str]]) -> dict[str, str]:
    """Customer → id of the deal that was made first, of (customer, day, id) of the deals that were made."""
    firsts: dict[str, tuple[date, str]] = {}
    for customer, day, external_id in made:
        known = firsts.get(customer)
        if known is None or (day, external_id) < known:
            firsts[customer] = day, external_id
    return {customer: external_id for customer, (_day, external_id) in firsts.items()}


def _is_new(deal, firsts: dict[str, str]) -> Decimal | None:
    if deal.is_repeat is not None:
        return Decimal(not deal.is_repeat)
    return Decimal(firsts[deal.customer] == deal.external_id) if deal.customer else None


def _fill(found: dict[Key, list[Decimal | None]], last: date) -> None:
    begins: dict[tuple[int, int], date] = {}
    for channel, campaign, day in found:
        for scope in {(channel, 0), (channel, campaign)}:
            begins[scope] = min(day, begins.get(scope, day))
    for scope, first in begins.items():
        for number in range((last - first).days + 1):
            found.setdefault((*scope, first + timedelta(days=number)), _zeros())
