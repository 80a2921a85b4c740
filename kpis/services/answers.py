"""Answers about a file that leaves questions: taken with the word to load it, or refused with what is still open."""

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from kpis.answers import LASTING, NEW, ORDER, PERIOD, SPREAD, TOTALS, answers_of, checked
from kpis.models import Import, Source
from kpis.selectors.questions import questions
from roles.models import Channel, Company, Membership
from roles.permissions import Permission
from roles.refusals import FieldError, Forbidden, Refused
from roles.services.channels import create_channel
from roles.slugs import slug_of


class AnswersNeeded(Refused):
    """The file can be read in two ways, and nobody has said which is meant: `errors` has one entry per question."""

    code = "answers_needed"


class ChannelsAreNotYours(Forbidden):
    code = "channels_are_not_yours"


def lasting_answers(*, company: Company, source: Source, profile: str) -> dict:
    """What was answered about the last load of this source and format and holds for its next files too."""
    done = Import.objects.filter(company=company, source=source, profile=profile, state=Import.State.DONE)
    told = done.order_by("-pk").values_list("answers", flat=True).first() or {}
    return {name: told[name] for name in LASTING if name in told}


def with_answers(load: Import, said: Mapping | None) -> dict:
    """The load's answers as they are after somebody has said more; what is said empty takes an answer back."""
    if said is None:
        return load.answers
    return checked({**load.answers, **said})


def check_answers(*, company: Company, load: Import) -> None:
    """Raises AnswersNeeded while the file, with the answers that the load has, leaves a question."""
    found = questions(company=company, load=load)
    sentences = {
        PERIOD: ("first", _("The file does not say the day of its rows. Say which period it covers, or export it by days.")),
        SPREAD: ("spread", _("Rows of the file cover several days. Say that they may be spread over their days, or export it by days.")),
        ORDER: ("order", _("Days like 03/04/2026 can be read two ways: say what comes first, the day or the month.")),
        TOTALS: ("totals", _("Rows without a campaign stand beside campaigns of the same day. Say whether they are totals.")),
    }  # fmt: skip
    errors = [
        FieldError(sentences[name][0], f"{name}_needed", sentences[name][1]) for name in sentences if name in found.open
    ]
    if errors:
        raise AnswersNeeded(_("The file leaves a question: answer it, nothing is guessed."), errors)


def make_channels(
    *, company: Company, by: Membership, at: datetime, load: Import, mapping: dict[str, str]
) -> dict[str, str]:
    """The mapping with a channel made for every name that asks for a new one, in the caller's transaction.

    Raises ChannelsAreNotYours, and what `create_channel` refuses, at the name in the file.
    """
    names = [name for name, code in mapping.items() if code == NEW]
    if names and not by.can(Permission.MANAGE_COMPANY):
        raise ChannelsAreNotYours(_("Channels are made by the owner and the project manager: ask one of them."))
    plans = answers_of(load.answers).channels
    return mapping | {name: _make(company, by, at, name, plans.get(name) or {}) for name in names}


def _make(company: Company, by: Membership, at: datetime, name: str, plan: dict) -> str:
    called, kind = (plan.get("name") or name).strip()[:120], plan.get("kind")
    owner = Membership.objects.filter(company=company, is_active=True, pk=plan.get("owner") or 0).first()
    if kind not in Channel.Kind.values or owner is None:
        message = _("Say of the new channel “%(name)s” what kind it is and who owns it.") % {"name": name}
        raise AnswersNeeded(message, [FieldError(name, "channel_incomplete", message)])
    taken = set(Channel.objects.filter(company=company).values_list("code", flat=True))
    code = start = slug_of(called, 36) or "channel"
    number = 1
    while code in taken:
        number += 1
        code = f"{start}-{number}"
    try:
        return create_channel(
            company=company, by=by, at=at, today=company.local_date(at), code=code, name=called, kind=kind, owner=owner,
            status=Channel.Status.ACTIVE,
        ).code  # fmt: skip
    except Refused as refusal:
        raise AnswersNeeded(refusal.message, [FieldError(name, refusal.code, refusal.message)]) from refusal
