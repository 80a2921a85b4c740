"""Makes the sample companies once, and tops their figures up to yesterday at every later start."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Max
from django_scopes import scope

from kpis.models import DailyFact
from kpis.services import kpis as kpi_services
from kpis.services.facts import MOST_ROWS, record_facts
from mops.demo import checks, deals, decisions, late_figures, leaving, meeting, reach, registry, story, world
from mops.demo import people as cast
from mops.demo.founding import Sample, found, recall
from mops.demo.workshop import found_workshop
from processes.mailings import SeriesWaits
from roles.models import Channel, Company, User
from roles.services import campaigns, channels, companies

RIVAL_FIGURE = 999_999
RIVAL_SHOWN = "999\u00a0999"


def seed(*, now: datetime) -> Company:
    """Company `veresk`, the second company of its director, and their rival, or their figures up to yesterday where they exist; one transaction."""
    with transaction.atomic():
        company = Company.objects.filter(slug="veresk").first()
        if company is None:
            company = _make_veresk(now)
            if not Company.objects.filter(slug="rival").exists():
                _make_rival(now)
                found_workshop(director=User.objects.get(email=f"cmo@{cast.DOMAIN}"), now=now)
        else:
            with scope(company=company):
                top_up(recall(company), now)
    return company


def _make_veresk(now: datetime) -> Company:
    anchor = now.astimezone(Company(timezone="Europe/Moscow").zone).date()
    sample = found(anchor=anchor, now=now)
    with scope(company=sample.company):
        checks.sign_the_first_quarter(sample)
        yesterday = anchor - timedelta(days=1)
        _record(sample, sample.founded, yesterday - timedelta(days=1), now)
        decisions.decide_the_past(sample)
        decisions.live_the_last_weeks(sample)
        _record(sample, yesterday, yesterday, now)
        late_figures.run_the_old_counter(sample)
        checks.add_vacancy(sample)
        checks.name_checks(sample)
        checks.draw_a_map(sample)
        checks.tick_duties(sample)
        checks.open_review(sample)
        story.live_the_weeks(sample, now)
        late_figures.restate(sample, now)
        deals.load_deals(sample, now)
        registry.fill(sample, now)
        leaving.keep_the_index(sample)
        leaving.rehearse(sample)
        leaving.read_packs(sample)
        leaving.prepare_a_departure(sample)
        reach.fill(sample, now)
        late_figures.doubt_and_type(sample, now)
        meeting.hold_the_stand_ups(sample, anchor - timedelta(days=anchor.weekday()), now)
        meeting.leave_one_stuck(sample, now)
    return sample.company


def top_up(sample: Sample, now: datetime) -> int:
    """Record the days since the last fact up to yesterday; a channel that a decision has stopped brings none."""
    last = DailyFact.objects.filter(company=sample.company).aggregate(Max("day"))["day__max"]
    today = sample.company.local_date(now)
    if last is None or last >= today - timedelta(days=1):
        return 0
    return _record(sample, last + timedelta(days=1), today - timedelta(days=1), now)


def _stopped(sample: Sample, day: date) -> frozenset[str]:
    first, last = decisions.STOP_WEEK
    if last <= (sample.anchor - day).days <= first:
        return frozenset({"vk"})
    if day >= sample.anchor:
        return frozenset(code for code, channel in sample.channels.items() if not channel.is_running)
    return frozenset()


def _record(sample: Sample, first: date, last: date, now: datetime) -> int:
    """Load every source's rows of these days, a month at a time, as its nightly export would: at 06:05 of the next day."""
    pending: dict[str, list[dict]] = defaultdict(list)
    written = 0
    day = first
    while day <= last:
        held = _send_mailing(sample, day)
        for row in world.rows(day, sample.anchor, _stopped(sample, day) | held):
            values = {metric: Decimal(value) for metric, value in late_figures.first_told(row, sample.anchor).items()}
            facts = {"channel": row.channel, "campaign": row.campaign, "date": day.isoformat(), **values}
            pending[row.source].append(facts)
        day += timedelta(days=1)
        recent = (sample.anchor - day).days < 14
        for source, rows in pending.items():
            if rows and (recent or day > last or day.day == 1 or len(rows) > MOST_ROWS - 100):
                at = min(sample.at(day, 6, 5), now)
                record_facts(company=sample.company, by=sample.people["analyst"], at=at, source_code=source, rows=rows)
                written += len(rows)
                rows.clear()
    return written


def _send_mailing(sample: Sample, day: date) -> frozenset[str]:
    """The mailing of a day as a campaign of its series; while a rewrite is not accepted none goes out, and the channel rests."""
    code = world.mailing_code(day, sample.anchor)
    channel = sample.channels["mail"]
    if not world.goes_out(day) or code is None or not channel.is_running:
        return frozenset()
    try:
        campaigns.create_campaign(
            company=sample.company, by=sample.people["crm"], at=sample.at(day, 9), channel=channel, external_id=code,
            name=f"Письмо {day:%d.%m}", series="Письма подписчикам",
        )  # fmt: skip
    except SeriesWaits:
        return frozenset({"mail"})
    return frozenset()


def _make_rival(now: datetime) -> None:
    """A second company that shares nothing: any 999 999 on a page of `veresk` is a leak."""
    user = User.objects.create_user("owner@rival.example", "demo-rival", name="Чужой Собственник")
    company = companies.create_company(slug="rival", name="Соперник", owner=user, at=now, is_sample=True)
    today = company.local_date(now)
    with scope(company=company):
        kpi_services.install_builtin_kpis(company=company, at=now)
        owner = user.memberships.get(company=company)
        for code, name, kind in (("vk", "VK Реклама", Channel.Kind.PAID), ("seo", "Поиск", Channel.Kind.ORGANIC)):
            channels.create_channel(
                company=company,
                by=owner,
                at=now,
                today=today,
                code=code,
                name=name,
                kind=kind,
                owner=owner,
                status="active",
            )
        rows = [
            {"channel": code, "date": (today - timedelta(days=back)).isoformat(), "spend": Decimal(RIVAL_FIGURE),
             "leads": Decimal(RIVAL_FIGURE), "qualified_leads": Decimal(RIVAL_FIGURE), "revenue": Decimal(RIVAL_FIGURE)}
            for code in ("vk", "seo")
            for back in range(1, 31)
        ]  # fmt: skip
        record_facts(company=company, by=owner, at=now, source_code="crm", rows=rows)


def logins() -> list[tuple[str, str]]:
    """(e-mail, name and role) of the people to try, for the start message."""
    shown = {person.code: person for person in cast.PEOPLE}
    return [(f"{code}@{cast.DOMAIN}", shown[code].name) for code in cast.SHOWN_LOGINS]
