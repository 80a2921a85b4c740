"""The sample company before its first figure: people with hats, channels with owners, KPIs, plans and stop-rules."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django_scopes import scope

from kpis.models import FunnelStage, Source, StopRule, StopRuleVersion
from kpis.periods import month_start
from kpis.services import kpis as kpi_services
from kpis.services import measures, sources, stop_rules, targets
from mops.demo import people as cast
from mops.demo import world
from roles import selectors
from roles.models import Channel, Company, Membership, Role, User
from roles.services import campaigns, channels, companies, hats
from roles.services import people as people_services
from roles.services.conflicts import CheckTerms

HISTORY_DAYS = 400
FUNNEL = ("visits", "leads", "qualified_leads", "measurements", "deals")
SOURCES = {
    "ads": ("Рекламные кабинеты", 20),
    "crm": ("CRM", 10),
    "metrica": ("Метрика", 30),
    "mailer": ("Рассылки", 40),
    "metrica-old": ("Метрика, старый счётчик", 90),
}

STEADY = (  # channels of a few leads a day are judged by weeks, not by days
    ("blog", 5_400, {"window": "pooled", "n": 28, "minimum_sample": Decimal(20)}),
    ("pr", 7_000, {"window": "m_of_n", "m": 5, "n": 7, "minimum_sample": Decimal(1)}),
    ("site", 2_800, {"window": "pooled", "n": 14, "minimum_sample": Decimal(20)}),
)


@dataclass
class Sample:
    """The company being made and everybody in it by their code. `anchor`: the local day it is made on."""

    company: Company
    anchor: date
    people: dict[str, Membership] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    rules: dict[str, StopRule] = field(default_factory=dict)

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """A moment of a day in the company's zone."""
        return datetime.combine(day, time(hour, minute), tzinfo=self.company.zone)

    @property
    def founded(self) -> date:
        return self.anchor - timedelta(days=HISTORY_DAYS)


def found(*, anchor: date, now: datetime) -> Sample:
    """Company `veresk` with everything but figures, as if founded 400 days before the anchor."""
    user = _login(cast.PEOPLE[0].code, cast.PEOPLE[0].name)
    founded = anchor - timedelta(days=HISTORY_DAYS)
    at = now - timedelta(days=HISTORY_DAYS)
    company = companies.create_company(
        slug="veresk",
        name="Вереск",
        tagline="кухни на заказ, Ярославль",
        owner=user,
        at=at,
        today=founded,
        is_sample=True,
    )
    sample = Sample(company=company, anchor=anchor)
    with scope(company=company):
        kpi_services.install_builtin_kpis(company=company, at=at)
        _hire(sample, at)
        _open_channels(sample, at)
        _set_figures(sample, at)
        _set_targets(sample, at)
        _set_rules(sample, at)
    return sample


def recall(company: Company) -> Sample:
    """The sample company as it stands, to top its figures up."""
    sample = Sample(company=company, anchor=company.local_date(company.created_at))
    for person in Membership.objects.filter(company=company).select_related("user"):
        sample.people[person.user.email.partition("@")[0]] = person
    sample.channels = {channel.code: channel for channel in Channel.objects.filter(company=company)}
    return sample


def _login(code: str, name: str) -> User:
    return User.objects.create_user(f"{code}@{cast.DOMAIN}", cast.PASSWORD, name=name)


def _hire(sample: Sample, at: datetime) -> None:
    company, day = sample.company, sample.founded
    for person in cast.PEOPLE[1:]:
        _login(person.code, person.name)
    for person in cast.PEOPLE:
        email = f"{person.code}@{cast.DOMAIN}"
        member = Membership.objects.filter(company=company, user__email=email).select_related("user").first()
        sample.people[person.code] = member or people_services.add_person(
            company=company, by=None, at=at, today=day, email=email, invite=False
        )
    # They file and sign, so they have signed in: nobody's invitation still waits.
    seen, users = sample.at(sample.anchor - timedelta(days=1), 9), [one.user_id for one in sample.people.values()]
    User.objects.filter(pk__in=users, last_login=None).update(last_login=seen)
    roles = {role.code: role for role in Role.objects.filter(company=company)}
    for person in cast.PEOPLE[1:]:
        if roles[person.role].kind not in {"channel_owner", "contractor"}:  # these come with a channel, with a contract
            hats.appoint(
                company=company, by=None, at=at, today=day, role=roles[person.role], person=sample.people[person.code],
                deputy=sample.people.get(person.deputy), hours_per_week=person.hours,
            )  # fmt: skip


def _open_channels(sample: Sample, at: datetime) -> None:
    deputies = {person.code: sample.people.get(person.deputy) for person in cast.PEOPLE}
    for position, plan in enumerate(world.CHANNELS):
        channel = channels.create_channel(
            company=sample.company, by=None, at=at, today=sample.founded, code=plan.code, name=plan.name, kind=plan.kind,
            owner=sample.people[plan.owner], deputy=deputies[plan.owner], coordinator=sample.people["pm"], status="active",
            priority=plan.priority, priority_reason=plan.why, monthly_budget=Decimal(plan.budget), position=position,
            result_kpi="romi" if plan.kind == "crm" else "cpa", check=_first_check(sample, plan.owner),
        )  # fmt: skip
        sample.channels[plan.code] = channel
        _set_hours(sample, at, plan.owner)
        for external_id, (name, flow) in plan.campaigns.items():
            campaigns.create_campaign(
                company=sample.company, by=None, at=at, channel=channel, external_id=external_id, name=name,
                budget=Decimal(round(flow.spend * 33, -4)), stop_loss=Decimal(60_000),
            )  # fmt: skip


def _set_hours(sample: Sample, at: datetime, owner: str) -> None:
    """Hours stand on a person's first channel; the others are within them."""
    held = list(selectors.appointments_of(company=sample.company, person=sample.people[owner], on=sample.founded))
    if len(held) == 1:
        hats.update_appointment(
            company=sample.company, by=None, at=at, today=sample.founded, appointment=held[0], deputy=held[0].deputy,
            hours_per_week=next(person.hours for person in cast.PEOPLE if person.code == owner),
        )  # fmt: skip


def _first_check(sample: Sample, owner: str) -> CheckTerms | None:
    """Deputies whose own hat clashes with the channel's are checked from the first day."""
    if owner not in cast.CHECKED:
        return None
    checker, what = cast.CHECKED[owner]
    return CheckTerms(sample.people[checker], what, "month", sample.founded + timedelta(days=90))


def _set_figures(sample: Sample, at: datetime) -> None:
    company, analyst = sample.company, sample.people["analyst"]
    measures.define_metric(
        company=company, by=analyst, at=at, code="measurements", name_ru="Замеры", name_en="Measurements", unit="count"
    )
    FunnelStage.objects.bulk_create(
        FunnelStage(company=company, position=position, metric=metric) for position, metric in enumerate(FUNNEL)
    )
    for code, (name, priority) in SOURCES.items():
        source = sources.ensure_source(company=company, code=code, name=name, kind=Source.Kind.API, at=at, by=analyst)
        Source.objects.filter(company=company, pk=source.pk).update(priority=priority)
    Source.objects.filter(company=company, code="mailer").update(expected_every_days=7)


def _set_targets(sample: Sample, at: datetime) -> None:
    """The media plan of the last 13 months: it grows with the company, so that plan and fact stay comparable."""
    first = month_start(sample.founded + timedelta(days=30))
    months = [first]
    # The plan of the next week is filled in from Thursday on: its month needs targets too.
    while months[-1] < month_start(sample.anchor + timedelta(days=14)):
        months.append(month_start(months[-1] + timedelta(days=32)))
    for month in months:
        scale = Decimal(round((1 + world.YEARLY_GROWTH) ** ((month - sample.anchor).days / 365), 2))
        for plan in world.CHANNELS:
            leads, qualified, cpa, deals, revenue = cast.TARGETS[plan.code]
            values = {
                "spend": plan.budget * scale, "leads": leads * scale, "qualified_leads": qualified * scale,
                "deals": deals * scale, "revenue": revenue * scale, "cpa": Decimal(cpa),
                "gross_profit": revenue * scale * Decimal(str(cast.MARGIN_TARGET)),
            }  # fmt: skip
            _plan(sample, at, month, values, sample.channels[plan.code])
        _plan(sample, at, month, {"cac": Decimal(cast.COMPANY_CAC)}, None)


def _plan(sample: Sample, at: datetime, month: date, values: dict, channel: Channel | None) -> None:
    for measure, value in values.items():
        targets.set_target(
            company=sample.company, by=sample.people["cmo"], at=at, measure=measure, channel=channel, month=month,
            value=Decimal(value).quantize(Decimal(1)), reason="Медиаплан года",
        )  # fmt: skip


def _set_rules(sample: Sample, at: datetime) -> None:
    """CPA three days in a row, with the line about 1.2–1.4 of each plan, and a companion for slow drips."""
    lines = {"direct": 3_700, "vk": 3_900, "avito": 3_300, "seo": 2_900}
    for code, line in lines.items():
        sample.rules[code] = stop_rules.create_stop_rule(
            company=sample.company, by=sample.people["cmo"], at=at, name=f"CPA {sample.channels[code].name}", kpi="cpa",
            comparison="above", line=Decimal(line), window="in_a_row", n=3, channel=sample.channels[code],
            minimum_sample=Decimal(3), action="rewrite" if code == "avito" else "stop",
        )  # fmt: skip
    sample.rules["maps"] = stop_rules.create_stop_rule(
        company=sample.company, by=sample.people["cmo"], at=at, name="Расход без заявок: карты", kpi="cpa",
        comparison="above", line=Decimal(2_600), window="since_conversion", k=Decimal(3), channel=sample.channels["maps"],
        action="review",
    )  # fmt: skip
    sample.rules["mail"] = stop_rules.create_stop_rule(
        company=sample.company, by=sample.people["cmo"], at=at, name="Отписки после письма", kpi="unsubscribe_rate",
        line=Decimal("0.008"), window="event", channel=sample.channels["mail"], action="rewrite",
    )  # fmt: skip
    sample.rules["budget"] = stop_rules.create_stop_rule(
        company=sample.company, by=sample.people["cmo"], at=at, name="Бюджет месяца, платные каналы", window="budget",
        channel_kind="paid", action="cut",
    )  # fmt: skip
    for code, line, terms in STEADY:
        sample.rules[code] = stop_rules.create_stop_rule(
            company=sample.company, by=sample.people["cmo"], at=at, name=f"CPA {sample.channels[code].name}", kpi="cpa",
            comparison="above", line=Decimal(line), channel=sample.channels[code], action="review", **terms,
        )  # fmt: skip
    _countersign(sample, at)


def _countersign(sample: Sample, at: datetime) -> None:
    """The director deputises some channels: their rules are put in force by the owner."""
    waiting = StopRuleVersion.objects.filter(company=sample.company, superseded_at=None, approved_at=None)
    for version in waiting.select_related("rule"):
        stop_rules.approve_stop_rule(
            company=sample.company, by=sample.people["owner"], at=at, rule=version.rule
        )  # fmt: skip
