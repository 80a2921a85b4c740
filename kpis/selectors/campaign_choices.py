"""Campaigns of a file that their id does not tell: which one is meant, and which could be instead."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from kpis.naming import BY_NAME, BY_UTM, KEPT, SAID, Names
from roles.models import Campaign, Channel, Company

SHOWN = 40
"""Rows, and options of a row, that a page offers; the others are as they were found."""
HOW = {
    SAID: _("as chosen"), KEPT: _("as chosen before"), BY_NAME: _("by its name"), BY_UTM: _("by a UTM rule"), "": _("new"),
}  # fmt: skip


@dataclass(frozen=True)
class CampaignRow:
    """`key`: as in `Answers.campaigns`. `chosen`: id of the campaign, 0: a new one is made. `options`: (id, name)."""

    key: str
    external: str
    name: str
    channel: str
    chosen: int
    how: str
    options: list[tuple[int, str]]


@dataclass(frozen=True)
class CampaignChoices:
    """`more`: campaigns that have a choice too and are not shown."""

    rows: list[CampaignRow]
    more: int = 0


def campaign_choices(*, company: Company, names: Names) -> CampaignChoices:
    """Matched campaigns first, then new ones of channels that have others; a channel's first campaigns leave no choice."""
    found = [(key, pk, name, HOW[how]) for key, (pk, name, how) in names.matched.items()]
    found += [((channel, external), 0, name, HOW[""]) for channel, external, name in names.fresh.values()]
    channels = {key[0] for key, _pk, _name, _how in found}
    titles = {pk: (code, name) for pk, code, name in Channel.objects.filter(pk__in=channels, company=company)
              .values_list("pk", "code", "name")}  # fmt: skip
    known: dict[int, list[tuple[int, str]]] = {}
    wanted = {pk for _key, pk, _name, _how in found if pk}
    for pk, channel, name in Campaign.objects.filter(company=company, channel__in=channels).values_list(
        "pk", "channel", "name"
    ):
        options = known.setdefault(channel, [])
        if len(options) < SHOWN or pk in wanted:
            options.append((pk, name))
    offered = [one for one in found if known.get(one[0][0])]
    rows = [
        CampaignRow(f"{titles[key[0]][0]}:{key[1]}", key[1], name, titles[key[0]][1], pk, str(how), known[key[0]])
        for key, pk, name, how in offered[:SHOWN]
    ]
    return CampaignChoices(rows, len(offered) - len(rows))
