"""Names of a file turned into rows of the company: which channel and which campaign is meant, and what is to be made.

Used by the preview (which writes nothing) and by the load, so that both mean the same.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kpis.importers.base import CellProblem, FileProblem, Row
from kpis.importers.tables import normalise
from kpis.models import CampaignMatch, DailyFact, Source, UtmRule
from roles.models import Campaign, Channel, Company

LEAVE_OUT = "-"
"""The mapping's answer for a name whose rows are not to be loaded."""
MOST_CAMPAIGNS = 20_000
SAID, KEPT, BY_NAME, BY_UTM = "said", "kept", "name", "utm"
"""How a campaign was found where the source's id does not tell it: chosen now, chosen before, equal name, a UTM rule."""
Key = tuple[int, str]
"""Channel, and the campaign's id (or name) in the file."""


@dataclass
class Names:
    """Turns names of a file into ids: channels by the confirmed mapping; campaigns by what was said, their id in the
    source, an earlier choice for this source, their name, a UTM rule, in this order.

    A campaign the company does not know yet gets a negative stand-in; `fresh` says what to create for it. `matched`: how
    those were found that their id does not tell. `said`: "channel's code:id in the file" → campaign, 0 for a new one.
    """

    company: Company
    mapping: Mapping[str, str]
    source: Source
    said: Mapping[str, int] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    campaigns: dict[Key, int] = field(default_factory=dict)
    fresh: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    matched: dict[Key, tuple[int, str, str]] = field(default_factory=dict)
    _named: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(list))
    _kept: dict[Key, int] = field(default_factory=dict)
    _chosen: dict[Key, int] = field(default_factory=dict)

    def __post_init__(self):
        codes = dict(Channel.objects.filter(company=self.company).values_list("code", "pk"))
        self.channels = {name: codes[code] for name, code in self.mapping.items() if code in codes}
        used = set(self.channels.values())
        known = Campaign.objects.filter(company=self.company, channel__in=used)
        of_channel = {}
        for pk, channel, external, name in known.values_list("pk", "channel_id", "external_id", "name"):
            self.campaigns[channel, external] = pk
            self._named[channel, name.casefold()].append(pk)
            of_channel[pk] = channel
        matches = CampaignMatch.objects.filter(company=self.company, source=self.source, channel__in=used)
        self._kept = {
            (c, external): pk for c, external, pk in matches.values_list("channel_id", "external_id", "campaign_id")
        }
        for key, pk in self.said.items():
            code, _colon, external = key.partition(":")
            if code in codes and (pk == 0 or of_channel.get(pk) == codes[code]):
                self._chosen[codes[code], external] = pk
                self.campaigns.pop((codes[code], external), None)

    def leaves_out(self, row: Row) -> bool:
        return self.mapping.get(row.channel) == LEAVE_OUT

    def channel(self, row: Row) -> int | None:
        """The channel's id; None with a problem added to the row when nobody chose one."""
        found = self.channels.get(row.channel)
        if found is None and row.channel:
            row.problems.append(CellProblem(row.line, "", "channel_of_nobody", row.channel))
        return found

    def campaign(self, row: Row, channel_id: int) -> int:
        """The campaign's id, a stand-in below zero for a new one, 0 for none; FileProblem for suspiciously many."""
        if not row.campaign:
            return 0
        key = channel_id, row.campaign
        if (found := self.campaigns.get(key)) is None:
            name = row.campaign_name or row.campaign
            pk, how = self._match(key, name)
            if pk:
                self.matched[key] = (pk, name, how)
                found = self.campaigns[key] = pk
            else:
                found = self.campaigns[key] = -1 - len(self.fresh)
                self.fresh[found] = (channel_id, row.campaign, name)
                if len(self.fresh) > MOST_CAMPAIGNS:
                    raise FileProblem("too_many_campaigns", most=MOST_CAMPAIGNS)
        return found

    def _match(self, key: Key, name: str) -> tuple[int, str]:
        """(campaign, how it was found) of one that its id does not tell; (0, "") for a new one."""
        if key in self._chosen:
            return self._chosen[key], SAID
        if key in self._kept:
            return self._kept[key], KEPT
        named = self._named.get((key[0], name.casefold()), [])
        taken = {pk for pk, _name, _how in self.matched.values()}
        # Two campaigns of a cabinet may bear one name: what this source calls by an id of its own is another one.
        if len(named) == 1 and named[0] not in taken and named[0] not in self._given:
            return named[0], BY_NAME
        for mark in (key[1], name):
            if found := self._by_utm.get((key[0], mark.casefold())):
                return found, BY_UTM
        return 0, ""

    @cached_property
    def _given(self) -> set[int]:
        """Campaigns that this source has given figures of; asked once, where a name fits."""
        rows = DailyFact.objects.filter(company=self.company, source=self.source).exclude(campaign_id=0)
        return set(rows.order_by().values_list("campaign_id", flat=True).distinct())

    @cached_property
    def _by_utm(self) -> dict[Key, int]:
        """(channel, mark) → the one campaign that a rule sends exactly this mark to."""
        rules = UtmRule.objects.filter(company=self.company, campaigns=UtmRule.Campaigns.ONE).exclude(utm_campaign="")
        rows = rules.values_list("channel_id", "utm_campaign", "campaign_id")
        return {(c, mark.casefold()): pk for c, mark, pk in rows if not set(mark) & set("*?")}


def _by_utm_and_campaigns(names: list[str], company: Company) -> dict[str, str]:
    """Names that are a UTM source of one channel's rules alone, or the id or name of campaigns of one channel alone → its code."""
    told: dict[str, set[str]] = {}
    wanted = {name.casefold() for name in names}
    rules = UtmRule.objects.filter(company=company).exclude(utm_source="").values_list("utm_source", "channel__code")
    campaigns = Campaign.objects.filter(company=company)
    by_id = campaigns.filter(external_id__in=names).values_list("external_id", "channel__code")
    by_name = campaigns.filter(name__in=names).values_list("name", "channel__code")
    for rows in (by_id, by_name, rules):
        for name, code in rows:
            if name.casefold() in wanted:
                told.setdefault(name.casefold(), set()).add(code)
    return {name: next(iter(codes)) for name, codes in told.items() if len(codes) == 1}


def guess_channels(names: list[str], company: Company, remembered: dict[str, str]) -> dict[str, str]:
    """For each name of a file the channel's code: as confirmed last time, else by equal code or name, else by the
    one UTM source that only leads to it, else as the id or name of one of its campaigns; "" when unknown."""
    codes = _by_utm_and_campaigns(names, company)
    for code, name in Channel.objects.filter(company=company).values_list("code", "name"):
        codes[code.casefold()] = codes[normalise(name)] = code
    valid = {*codes.values(), LEAVE_OUT}
    return {
        name: remembered[name]
        if remembered.get(name) in valid
        else codes.get(name.casefold()) or codes.get(normalise(name)) or ""
        for name in names
    }
