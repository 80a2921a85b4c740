"""What the names in a file may mean: channels, or kinds of stages where its rows are deals of a CRM."""

from django.utils.translation import gettext as _

from kpis.answers import NEW
from kpis.importers import stages
from kpis.importers.registry import PROFILES
from kpis.models import DealStage, Import, Source
from kpis.naming import LEAVE_OUT
from roles.models import Channel, Company
from roles.refusals import FieldError, Refused

REMEMBERED = 20
"""Loads back to which a name's meaning is remembered: a file may leave one out."""


class ChannelsNotChosen(Refused):
    """Some names in the file have no channel (some stages no meaning): `errors` has one entry per name."""

    code = "channels_not_chosen"


def remembered_mapping(company: Company, source: Source) -> dict[str, str]:
    """Names in this source's files → codes of channels, as last confirmed; stages → kinds, as they are now."""
    done = Import.objects.filter(company=company, source=source, state=Import.State.DONE).exclude(mapping={})
    last = list(done.order_by("-pk").values_list("mapping", flat=True)[:REMEMBERED])
    told = DealStage.objects.filter(company=company, source=source).values_list("name", "kind")
    return dict(item for mapping in reversed(last) for item in mapping.items()) | dict(told)


def codes_of(company: Company, load: Import) -> set[str]:
    """What a name of the load's file may mean."""
    if load.profile in PROFILES:
        return set(stages.KINDS)
    return set(Channel.objects.filter(company=company).values_list("code", flat=True)) | {LEAVE_OUT, NEW}


def chosen(company: Company, load: Import, mapping: dict[str, str]) -> dict[str, str]:
    """The meaning of every name of the file; ChannelsNotChosen while one has none."""
    codes, is_deals = codes_of(company, load), load.profile in PROFILES
    found = {name: mapping.get(name, "") for name in sorted(load.mapping)}
    said = _("Say what the stage “%(name)s” means.") if is_deals else _("Choose the channel of “%(name)s”.")
    code = "stage_not_chosen" if is_deals else "channel_not_chosen"
    errors = [FieldError(name, code, said % {"name": name}) for name, value in found.items() if value not in codes]
    if errors and is_deals:
        raise ChannelsNotChosen(_("It is not said yet what some stages of the deals mean."), errors)
    if errors:
        raise ChannelsNotChosen(_("Some names in the file have no channel yet."), errors)
    return found
