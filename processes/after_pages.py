"""What the decision's page tells of the time after its evidence: refined figures, the override, the account, reviews, and
what came of similar decisions."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from processes import account_page, escalation, evidence, ledger, overrides, restated, review_pages, selectors, wording
from processes.account_page import Line
from processes.ledger import Entry
from processes.models import Decision
from processes.overrides import Override
from processes.review_pages import ReviewPanel
from roles import formats
from roles.models import Membership
from roles.permissions import Permission


@dataclass(frozen=True)
class Refined:
    """The KPI over the days of the evidence as it opened and as it stands now, and the days that differ; written out."""

    kpi: str
    was: str
    now: str
    days: list[tuple[date, str, str]]


@dataclass(frozen=True)
class SimilarLine:
    """An earlier decision: `sum` its net with a sign («неизвестно» is said by the page where None), `then` how the KPI went."""

    decision: Decision
    headline: str
    net: Decimal | None
    hidden: bool
    then: str


@dataclass(frozen=True)
class After:
    """`gone`: money over the line since the decision opened, None where unknown or hidden."""

    gone: Decimal | None
    refined: Refined | None
    override: Override | None
    account: Line | None
    reviews: list[ReviewPanel]
    similar: list[SimilarLine]


def after_parts(*, decision: Decision, seen: dict, person: Membership, at: datetime, sees_money: bool) -> After:
    """Everything for one reader; `seen`: the evidence of now, of which nothing is hidden yet."""
    similar = selectors.similar_decisions(decision=decision)
    signed = [decision] if decision.state == Decision.State.SIGNED else []
    entries = {
        row.decision.pk: row for row in ledger.entries(company=decision.company, decisions=[*signed, *similar], at=at)
    }
    own = entries.get(decision.pk)
    running = _override(decision, person, at) if signed and decision.choice == "continue" else None
    opened_on = decision.company.local_date(decision.opened_at)
    return After(
        gone=escalation.gone_since(seen, opened_on) if sees_money and decision.is_open and seen else None,
        refined=_refined(decision, at) if sees_money else None,
        override=running,
        account=account_page.line_of(own) if own and sees_money else None,
        reviews=review_pages.panels(decision=decision, person=person, at=at, sees_money=sees_money) if signed else [],
        similar=[_similar(row, entries.get(row.pk), person) for row in similar],
    )  # fmt: skip


def _override(decision: Decision, person: Membership, at: datetime) -> Override | None:
    found = overrides.running(company=decision.company, person=person, at=at, breach_id=decision.breach_id)
    return next((row for row in found if row.decision.pk == decision.pk), None)


def _refined(decision: Decision, at: datetime) -> Refined | None:
    """What has changed since it opened, till now or till it was withdrawn; None where no day of the evidence has."""
    kept, upto = decision.evidence, decision.company.local_date(decision.closed_at or at)
    if not kept or decision.breach_id is None:
        return None
    if decision.is_open:
        now = restated.now_of(company=decision.company, decisions=[decision], at=at)[decision.pk]
    elif "at_withdrawal" in kept:
        days = restated.kept_days(kept["at_withdrawal"], upto - restated.LOOKED_AT)
        now = {day: figures for day, (figures, _breaching) in days.items() if figures is not None}
    else:
        return None
    found = restated.compare(kept, now, today=upto)
    if not any(pair.differs for pair in found.days):
        return None

    def figure(value: Decimal | None) -> str:
        return formats.figure(value, kept["kpi"]["unit"], decision.company.currency)

    days = [
        (row.day, figure(restated.ratio([row.was])), figure(restated.ratio([row.now])))
        for row in found.days
        if row.differs
    ]
    return Refined(wording.kpi_name(kept), figure(found.was), figure(found.now), days)


def _similar(decision: Decision, entry: Entry | None, person: Membership) -> SimilarLine:
    sees = person.can(Permission.VIEW_MONEY, decision.channel_id)
    seen = decision.kept_evidence
    if seen and not sees:
        seen = evidence.without_money(seen)
    net = entry.account.net if sees and entry and entry.account else None
    return SimilarLine(
        decision=decision, headline=wording.headline(seen, decision.company.currency), net=net, hidden=not sees,
        then=_then(decision, entry) if sees and entry else "",
    )  # fmt: skip


def _then(decision: Decision, entry: Entry) -> str:
    """«CPA 4 972 ₽ → 2 907 ₽, 12 из 14 дней не выше порога»; empty where nothing is known after."""
    seen, currency = decision.evidence, decision.company.currency
    if entry.after is None or not seen:
        return ""
    unit = seen["kpi"]["unit"]
    words = {
        "kpi": wording.kpi_name(seen), "before": formats.figure(entry.before, unit, currency),
        "after": formats.figure(entry.after, unit, currency), "under": entry.under, "days": entry.after_days,
    }  # fmt: skip
    if decision.breach.version.comparison == "above":
        return _("%(kpi)s %(before)s → %(after)s, not above the line on %(under)s of %(days)s days after") % words
    return _("%(kpi)s %(before)s → %(after)s, not below the line on %(under)s of %(days)s days after") % words
