"""A small second company whose director is Марина Ершова of `veresk` for eight hours a week: a fractional director's view (R6)."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django_scopes import scope

from kpis.services import kpis as kpi_services
from kpis.services import stop_rules
from kpis.services.facts import record_facts
from mops.demo import people as cast
from roles.models import Channel, CheckRound, Company, Membership, Role, User
from roles.services import channels, companies, hats
from roles.services import conflicts as duties
from roles.services import people as people_services
from roles.services.conflicts import CheckTerms

SLUG = "tyos"
HISTORY_DAYS = 60
HOURS = 8
PLANS = (
    # code, name, kind, spend ₽ and qualified leads of a day, then of the last three days
    ("direct", "Яндекс Директ", Channel.Kind.PAID, (9_000, 4), (11_000, 2)),
    ("blog", "Блог о банях", Channel.Kind.ORGANIC, (1_500, 1), (1_500, 1)),
)
LINE = Decimal(3_500)


def found_workshop(*, director: User, now: datetime) -> Company:
    """Company `tyos`: two channels, two months of figures, a stop-rule whose line the last three days have crossed."""
    user = User.objects.create_user(f"owner@{SLUG}.example", cast.PASSWORD, name="Степан Рогов", last_login=now)
    at = now - timedelta(days=HISTORY_DAYS)
    company = companies.create_company(
        slug=SLUG, name="Тёс", tagline="бани под ключ, Кострома", owner=user, at=at, is_sample=True
    )
    founded, today = company.local_date(at), company.local_date(now)
    with scope(company=company):
        kpi_services.install_builtin_kpis(company=company, at=at)
        owner = Membership.objects.get(company=company, user=user)
        person = people_services.add_person(
            company=company, by=owner, at=at, today=founded, email=director.email, invite=False
        )
        hats.appoint(
            company=company, by=owner, at=at, today=founded, role=Role.objects.get(company=company, code="cmo"),
            person=person, deputy=owner, hours_per_week=HOURS,
        )  # fmt: skip
        # The owner runs both channels and deputises the director: small companies join such duties, under a check.
        check = CheckTerms(
            person, "Кто продлевает каналы и кто пишет объявления", "month", founded + timedelta(days=90)
        )
        for code, name, kind, _usual, _lately in PLANS:
            channels.create_channel(
                company=company, by=owner, at=at, today=founded, code=code, name=name, kind=kind, owner=owner,
                status="active", check=check,
            )  # fmt: skip
        _sign_what_is_over(company, at=now, today=today)
        stop_rules.create_stop_rule(
            company=company, by=person, at=at, name="Дорогая заявка: Директ", kpi="cpa", comparison="above", line=LINE,
            window="in_a_row", n=3, minimum_sample=Decimal(2), channel=Channel.objects.get(company=company, code="direct"),
        )  # fmt: skip
        record_facts(company=company, by=owner, at=now, source_code="crm", rows=list(_rows(founded, today)))
    return company


def _sign_what_is_over(company: Company, *, at: datetime, today: date) -> None:
    for one in CheckRound.objects.filter(company=company, due_on__lt=today).select_related(
        "external_check__checker__user"
    ):
        duties.sign_round(
            company=company, by=one.external_check.checker, at=at, today=today, one=one, outcome="clean",
            finding="Продлений без директора не было, объявления вышли после его правки.",
        )  # fmt: skip


def _rows(founded: date, today: date):
    for back in range((today - founded).days - 1, 0, -1):
        for code, _name, _kind, usual, lately in PLANS:
            spend, leads = lately if back <= 4 else usual
            day = {"channel": code, "date": (today - timedelta(days=back)).isoformat()}
            figures = {"spend": spend, "leads": leads * 2, "qualified_leads": leads, "gross_profit": leads * 5_000}
            yield day | {metric: Decimal(value) for metric, value in figures.items()}
