"""What a signed decision means to the stop-rules: kept as a row that every later replay applies on its day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import transaction

from kpis.engine import State
from kpis.models import Breach, RuleState, StopRule, Verdict
from kpis.services.evaluations import request_evaluation
from roles.models import Campaign, Channel, Company

Kind = Verdict.Kind
AFTERWARDS = {
    Kind.STOP: State.STOPPED, Kind.REWRITE: State.STOPPED, Kind.CUT: State.RECOVERING, Kind.RESUME: State.RECOVERING,
    Kind.CONTINUE: State.MUTED, Kind.FALSE_ALARM: State.MUTED,
}  # fmt: skip
MUTING = (Kind.CONTINUE, Kind.FALSE_ALARM)


@transaction.atomic
def apply_verdict(
    *, company: Company, rule: StopRule, breach: Breach | None, channel: Channel, campaign: Campaign | None, day: date,
    kind: str, until: date | None = None, extra_spend: Decimal | None = None, kept: Iterable[int] = (),
) -> Verdict:  # fmt: skip
    """Keep the signature, show its state at once, and ask for an evaluation from its day.

    Stop, rewrite and cut close the breach; continue (until a day, both included, or an extra spend) and false alarm
    (three days) mute it. `kept`: ids of the campaigns that go on when their channel stops. The caller, a service of `processes/`, writes the audit event: it knows who signed.
    """
    kind = Kind(kind)
    verdict = Verdict.objects.create(
        company=company, rule=rule, breach=breach, channel=channel, campaign=campaign, day=day, kind=kind, until=until,
        extra_spend=extra_spend, kept=list(kept),
    )  # fmt: skip
    _tell_breach(company, rule, channel, campaign, kind, day)
    states = RuleState.objects.filter(
        company=company, version__rule=rule, version__superseded_at=None, channel=channel, campaign=campaign
    )
    states.update(state=AFTERWARDS[kind].code, streak=[], detail={"since": day.isoformat()})
    request_evaluation(company=company, dirty_from=day)
    return verdict


def _tell_breach(company, rule: StopRule, channel: Channel, campaign: Campaign | None, kind: Kind, day: date) -> None:
    is_open = Breach.objects.filter(company=company, rule=rule, channel=channel, campaign=campaign, closed_on=None)
    if kind in MUTING:
        is_open.update(muted=True)
    else:
        is_open.update(closed_on=day, closed_as="signed")
