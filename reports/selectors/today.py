"""Today's page: what this person owes, their actions and figures, and what people with other hats should look at first."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from kpis import bullets, charts, periods
from kpis.models import DataIncident
from kpis.selectors import stop_rules
from kpis.selectors.sources import Freshness, freshness
from processes import briefs, lists, reviews, role_reviews
from processes import selectors as processes_selectors
from processes.leaving import plans
from processes.models import Action, Brief, HandoverItem
from reports.models import WeeklyReport
from reports.selectors.calendar import week_book
from reports.selectors.channel import open_desks, result_measure
from reports.selectors.channel_charts import Desk, count_of, today_plot
from reports.selectors.money import EARNED, Earnings, earnings, open_account, year_before
from reports.selectors.weekly import Part, channels_held, due_for, fact_part, plan_part, reports
from reports.spans import Span, read_span
from roles import conflicts, formats
from roles import selectors as roles_selectors
from roles.checklists import Checklist, my_checklists
from roles.models import Channel, Company, Membership
from roles.permissions import Permission, RoleKind

PLOT_DAYS = 14
MOST_ACTIONS = 6


@dataclass(frozen=True)
class Due:
    """Something to do by a moment: `url_name` with `args` (after the slug) opens it, `verb` is what the button says."""

    title: str
    url_name: str
    args: tuple
    due_at: datetime
    note: str
    verb: str


@dataclass(frozen=True)
class Cell:
    """One of the three figures of a channel: its name, the figure, what it is compared with, whether it is bad; `code`, `is_kpi`: what it
    opens to over the week, nothing without a code; `burns`: the waiting decision that it tells of."""

    name: str
    value: str
    note: str
    bad: bool = False
    code: str = ""
    is_kpi: bool = False
    burns: lists.WaitingLine | None = None


@dataclass(frozen=True)
class Mine:
    """An own channel over the week so far: state, figures, its result KPI by day."""

    channel: Channel
    state: str
    cells: list[Cell]
    plot: charts.Plot | None


@dataclass(frozen=True)
class Late:
    """A plan or fact whose deadline has passed."""

    report: WeeklyReport
    part: Part
    what: str


@dataclass(frozen=True)
class Coming:
    title: str
    at: datetime


@dataclass(frozen=True)
class Today:
    """The page of one person at one moment; a part that is empty is left out. `burning`: money over the lines of all that
    waits for a decision, whoever decides; `burned` of it: what others decide."""

    person: Membership
    at: datetime
    day: date
    due: list[Due]
    actions: list[lists.ActionLine]
    actions_count: int
    week: Span
    mine: list[Mine]
    waiting: list[lists.WaitingLine]
    burning: Decimal | None
    late: list[Late]
    sources: list[Freshness]
    incidents: list[DataIncident]
    month: Span | None
    earnings: Earnings | None
    coming: list[Coming]
    checklists: list[Checklist]

    @property
    def duties(self) -> list[Checklist]:
        """Checklists with something not yet ticked in its period."""
        return [one for one in self.checklists if one.waiting]

    @property
    def burned(self) -> Decimal | None:
        return lists.burned_together(self.waiting)

    @property
    def may_read(self) -> bool:
        """A contractor sees nothing but own tasks."""
        return self.person.can(Permission.READ)

    @property
    def overdue(self) -> list[Due]:
        return [item for item in self.due if item.due_at <= self.at]

    @property
    def due_today(self) -> list[Due]:
        """What is due later today, the nearest first."""
        zone = self.person.company.zone
        return [item for item in self.due if item.due_at > self.at and item.due_at.astimezone(zone).date() == self.day]

    @property
    def last_due(self) -> datetime | None:
        """The moment by which everything of today is due."""
        return max((item.due_at for item in self.due_today), default=None)

    @property
    def nearest(self) -> timedelta | None:
        """How long until the nearest deadline of today."""
        return self.due_today[0].due_at - self.at if self.due_today else None

    @property
    def is_quiet(self) -> bool:
        return not (
            self.due or self.actions or self.waiting or self.late or self.sources or self.incidents or self.duties
        )


def today_page(*, company: Company, person: Membership, at: datetime) -> Today:
    """What is on this person's table now, by the hats worn today. The number of queries depends on hats alone."""
    day = company.local_date(at)
    reads = person.can(Permission.READ)
    waiting = lists.waiting_lines(company=company, person=person, at=at) if reads else []
    week = read_span({"period": "week"}, day)
    chief = person.wears(RoleKind.OWNER, RoleKind.CMO)
    month = read_span({}, day) if chief and person.can(Permission.VIEW_MONEY) else None
    table = processes_selectors.on_the_table(company=company, person=person, accepts=chief)
    actions = [action for action in table if action.state == Action.State.OPEN]
    analyst = person.wears(RoleKind.ANALYST)
    return Today(
        person=person, at=at, day=day,
        due=sorted(
            _due(company, person, waiting, at, reads) + _rewrites(table, person) + _checks(company, person, day)
            + _role_review(company, chief) + _briefs(company, person)
            + _handovers(company, person, at), key=lambda item: item.due_at,
        ) + (_reviews(company, person) if reads and (chief or person.can(Permission.DECIDE)) else []),
        actions=[_action(action, person, day) for action in actions[:MOST_ACTIONS]], actions_count=len(actions), week=week,
        mine=_mine(company, person, week, waiting, day),
        waiting=_of_others(waiting, person) if chief else [], burning=lists.burned_together(waiting),
        late=_late(company, at) if person.wears(RoleKind.PM, RoleKind.CMO) else [],
        sources=[row for row in freshness(company=company, at=at) if not row.is_well] if analyst else [],
        incidents=_incidents(company) if analyst else [],
        month=month, earnings=_earnings(company, month) if month else None,
        coming=_coming(company, person, day, at),
        checklists=my_checklists(company=company, person=person, today=day),
    )  # fmt: skip


def _earnings(company: Company, month: Span) -> Earnings:
    books = open_account(company=company, span=month)
    return earnings(books, year_before(books))


def _due(company: Company, person: Membership, waiting, at: datetime, reads: bool) -> list[Due]:
    found = []
    if reads:
        for item in due_for(company=company, person=person, at=at):
            # What the page says about the deadline itself it does not say twice.
            note = "" if item.note == _("The deadline has passed") else item.note
            found.append(Due(item.title, item.url_name, item.args, item.due_at, note, _("Open")))
        found += [_decision(line) for line in waiting if line.row.decider == person]
    return found


def _action(action: Action, person: Membership, day: date) -> lists.ActionLine:
    may_close = processes_selectors.may_close(person=person, action=action)
    return lists.ActionLine(action=action, overdue=action.due_on < day, may_close=may_close, may_accept=False)


def _of_others(waiting: list[lists.WaitingLine], person: Membership) -> list[lists.WaitingLine]:
    """What waits for somebody else: what waits for this person stands among the things that are due."""
    return [line for line in waiting if line.row.decider != person]


def _decision(line: lists.WaitingLine) -> Due:
    decision = line.decision
    title = _("Decide: %(subject)s") % {"subject": decision.subject}
    note = line.changed.title if line.changed else line.headline
    return Due(title, "processes:decision-detail", (decision.pk,), decision.deadline_at, note, _("Decide"))


def _rewrites(table: list[Action], person: Membership) -> list[Due]:
    """Finished rewrites that this person may accept: nothing starts again until somebody does."""
    return [
        Due(
            _("Accept the rewrite: %(subject)s") % {"subject": action.campaign or action.channel},
            "processes:action-list", (), action.closed_at + timedelta(days=1), action.text, _("Open"),
        )
        for action in table
        if action.state == Action.State.DONE and processes_selectors.may_accept(person=person, action=action)
    ]  # fmt: skip


def _checks(company: Company, person: Membership, day: date) -> list[Due]:
    """Outside checks that wait for this person's signature: until it stands the conflict may open again."""
    return [
        Due(
            _("Check: %(person)s, %(duties)s, %(days)s")
            % {"person": one.external_check.person, "duties": duties, "days": formats.days(one.first_day, one.last_day)},
            "roles:check-round-detail", (one.pk,), datetime.combine(one.due_on, time(18), tzinfo=company.zone),
            one.external_check.what, _("Check and sign"),
        )
        for one, duties in conflicts.named_rounds(company=company, checker=person, on=day)
    ]  # fmt: skip


def _role_review(company: Company, chief: bool) -> list[Due]:
    """The review of roles and KPIs, for whoever closes it."""
    row = role_reviews.open_review(company=company) if chief else None
    if row is None:
        return []
    due_at = datetime.combine(row.review.due_on, time(18), tzinfo=company.zone)
    return [Due(_("Review roles and KPIs"), "processes:role-review-list", (), due_at, "; ".join(row.why), _("Open"))]


def _briefs(company: Company, person: Membership) -> list[Due]:
    """Briefs whose next step is this person's: a contractor's to answer or deliver, ours to clear up or judge."""
    words = {
        Brief.State.SENT: (_("Answer the brief: %(title)s"), _("Answer")),
        Brief.State.ACCEPTED: (_("Deliver: %(title)s"), _("Open")),
        Brief.State.REWORK: (_("Rework: %(title)s"), _("Open")),
        Brief.State.RETURNED: (_("The contractor asks: %(title)s"), _("Open")),
        Brief.State.DELIVERED: (_("Judge the work: %(title)s"), _("Judge it")),
    }
    return [
        Due(
            words[brief.state][0] % {"title": brief.title}, "processes:brief-detail", (brief.pk,),
            briefs.due_at(brief, company), str(brief.contractor), words[brief.state][1],
        )
        for brief in briefs.waiting_for(company=company, person=person)
    ]  # fmt: skip


def _handovers(company: Company, person: Membership, at: datetime) -> list[Due]:
    """What somebody leaving would hand to this person: their word is asked until the last day. Who manages people sees who
    has not answered for days."""
    manages = person.can(Permission.MANAGE_COMPANY)
    asked = plans.awaited(company=company) if manages else plans.waiting_for(company=company, person=person)
    found = []
    for items in plans.silent_since(asked).values():
        first = items[0]
        due_at = datetime.combine(first.handover.last_day, time(18), tzinfo=company.zone)
        labels = "; ".join(item.label for item in items[:3])
        words = {"person": first.handover.person, "successor": first.successor}
        if first.successor_id == person.pk:
            title = _("Say whether you take over: %(person)s leaves") % words
            found.append(Due(title, "processes:handover-list", (), due_at, _asked(company, first, labels), _("Answer")))
        elif plans.is_silent(first, at):
            title = _("%(successor)s has not answered: %(person)s leaves") % words
            args = (first.handover_id,)
            note = _asked(company, first, labels)
            found.append(Due(title, "processes:handover-detail", args, due_at, note, _("Open")))
    return found


def _asked(company: Company, first: HandoverItem, labels: str) -> str:
    if first.asked_at is None:
        return labels
    return _("asked on %(day)s: %(names)s") % {
        "day": formats.day(company.local_date(first.asked_at), year=False), "names": labels,
    }  # fmt: skip


def _reviews(company: Company, person: Membership) -> list[Due]:
    """Decisions of this person that are to be looked at again: did the forecast come true, what do the days say now?"""
    return [
        Due(
            _("Review: %(subject)s, %(choice)s")
            % {"subject": review.decision.subject, "choice": review.decision.get_choice_display()},
            "processes:decision-detail", (review.decision_id,), reviews.due_at(review), str(review.get_kind_display()),
            _("Judge it"),
        )
        for review in reviews.open_reviews(company=company).filter(decision__signed_by=person)
    ]  # fmt: skip


def _mine(company: Company, person: Membership, week: Span, waiting, day: date) -> list[Mine]:
    held = channels_held(person)
    if not held:
        return []
    channels = [row for row in roles_selectors.bare_channels(company=company) if row.pk in held and row.is_running]
    if not channels:
        return []
    first = min(week.start, day - timedelta(days=PLOT_DAYS))
    days = list(periods.days_between(day - timedelta(days=PLOT_DAYS), day - timedelta(days=1)))
    states = stop_rules.states_by_channel(company=company)
    burned = {line.decision.channel_id: line for line in waiting if line.burned is not None}
    return [
        Mine(
            desk.channel, states.get(desk.channel.pk) or "ok", _cells(desk, week, burned.get(desk.channel.pk)),
            today_plot(desk, result_measure(desk), days),
        )
        for desk in open_desks(
            company=company, channels=channels, person=person, first=first, last=week.end, today=day
        )
    ]  # fmt: skip


def _cells(desk: Desk, week: Span, burning: lists.WaitingLine | None) -> list[Cell]:
    """Result KPI, its count, and what burns or what was earned."""
    ids, currency = [desk.channel.pk], desk.company.currency
    result = result_measure(desk)
    count = count_of(desk, result)

    def value(formula):
        return desk.cube.kpi(formula, channel_ids=ids, start=week.start, end=week.until).value

    def plan(code: str):
        return desk.targets.value(code, channel_id=desk.channel.pk, start=week.start, end=week.until)

    cells = []
    if result.code != count.code:
        figure, goal = value(result.formula), plan(result.code)
        known = figure is not None and goal is not None and goal > 0
        bad = known and bullets.plan_state(float(figure / goal), result.better or "higher") != ""
        note = "" if goal is None else _("goal %(value)s") % {"value": formats.figure(goal, result.unit, currency)}
        cells.append(
            Cell(result.name, formats.figure(figure, result.unit, currency), note, bad, result.code, result.is_kpi)
        )
    planned = plan(count.code)
    note = "" if planned is None else _("plan %(value)s") % {"value": formats.planned(planned, count.unit)}
    cells.append(Cell(count.name, formats.count(value(count.formula)), note, code=count.code))
    if burning is not None:
        money = formats.money(burning.burned, currency)
        cells.append(Cell(_("Over the line"), money, _("waits for a decision"), bad=True, burns=burning))
    elif desk.sees_money:
        earned, profit, spend = value(EARNED), plan("gross_profit"), plan("spend")
        goal = None if profit is None or spend is None else profit - spend
        note = "" if goal is None else _("plan %(value)s") % {"value": formats.money_short(goal, currency)}
        loss = earned is not None and earned < 0
        cells.append(Cell(_("Earned"), formats.money_short(earned, currency), note, loss, "earned", is_kpi=True))
    return cells


def _late(company: Company, at: datetime) -> list[Late]:
    """Plans and facts of this week and of the last one, until its lock, that are past their deadline; one query."""
    monday = periods.week_start(company.local_date(at))
    found = []
    for report in reports(company=company).filter(week__in=[monday - timedelta(weeks=1), monday]).order_by("week"):
        parts = ((plan_part(report, at), _("plan")), (fact_part(report, at), _("fact")))
        found += [Late(report, part, what) for part, what in parts if part.kind == "overdue"]
    return found


def _incidents(company: Company) -> list[DataIncident]:
    """Open incidents: figures that stopped coming, the newest first."""
    return list(
        DataIncident.objects.filter(company=company, state=DataIncident.State.OPEN).select_related(
            "channel", "campaign", "rule"
        )
    )


def _coming(company: Company, person: Membership, day: date, at: datetime) -> list[Coming]:
    """The next deadlines of the report week for those who keep them, the nearest first."""
    held, found = channels_held(person), []
    keeps = held or person.can(Permission.REVIEW_REPORT)
    for week, moments in week_book(company=company).weeks_around(at, at) if keeps else ():
        number = periods.week_number(week)
        if moments.rests:
            continue
        if held:
            found += [
                Coming(_("Plan of week %(week)s") % {"week": number}, moments.plan_due_at),
                Coming(_("Fact of week %(week)s") % {"week": number}, moments.fact_due_at),
            ]
        if person.can(Permission.REVIEW_REPORT):
            found.append(Coming(_("Summary of week %(week)s") % {"week": number}, moments.summary_due_at))
    return sorted((item for item in found if at < item.at <= at + timedelta(days=7)), key=lambda item: item.at)
