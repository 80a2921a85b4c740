"""Duties that meet in the sample company and who checks them: one check kept, one skipped; and a place that is vacant."""

from datetime import date, timedelta

from mops.demo.founding import Sample
from processes import role_reviews, triggers
from roles import checklists
from roles.models import CheckRound, ExternalCheck, Role, RoleVersion
from roles.services import conflicts as service
from roles.services import drafts, duties, roles
from roles.services.conflicts import CheckTerms

DIRECTOR = "Продления по Директу и VK: подписал ли собственник второй раз и что было с CPA"
LAUNCHES = "Карты: кто написал объявление и кто его запустил, сверить тексты с ценами на сайте"
FOUND = "Посмотрел журнал за эти дни: вторая подпись есть под каждым продлением, суммы сходятся с CRM."


def add_vacancy(sample: Sample) -> Role:
    """A hat that nobody wears yet: the map shows it red."""
    return roles.create_role(
        company=sample.company, by=sample.people["pm"], at=sample.at(sample.anchor - timedelta(days=12), 10),
        today=sample.anchor - timedelta(days=12), code="paid-control", kind="analyst", name_ru="Контроль цифр платных",
        name_en="Control of paid figures", mission_ru="Сверяет расход и заявки платных каналов с CRM и банком.",
        mission_en="Compares spend and leads of the paid channels with the CRM and the bank.", kpis=["data_on_time"],
        duties=[{"cadence": "week", "ru": "Сверить расход кабинетов с актами", "en": "Compare the cabinets' spend with the acts"}],
        reason="Кто тратит, тот не проверяет: нужен отдельный человек",
    )  # fmt: skip


def name_checks(sample: Sample) -> None:
    """The checks of this quarter; the earlier ones were of the founding. The analyst has skipped one."""
    on = {check.person_id: check for check in ExternalCheck.objects.filter(company=sample.company)}
    plan = (
        ("cmo", "owner", DIRECTOR, "week", 43, 1),
        ("content", "analyst", LAUNCHES, "fortnight", 50, 2),
    )  # fmt: skip
    for code, checker, what, cadence, days_ago, unsigned in plan:
        person, day = sample.people[code], sample.anchor - timedelta(days=days_ago)
        check = service.name_check(
            company=sample.company, by=sample.people["pm"], at=sample.at(day, 11), today=day, person=person,
            pair=on[person.pk].pair, terms=CheckTerms(sample.people[checker], what, cadence, day + timedelta(days=90)),
        )  # fmt: skip
        over = [one for one in check.rounds.all() if one.last_day < sample.anchor]
        sign(sample, over[:-unsigned], sample.anchor)


def sign(sample: Sample, rounds: list[CheckRound], until: date) -> None:
    """Sign these rounds on the day after their last one."""
    for one in rounds:
        day = min(one.last_day + timedelta(days=1), until)
        outcome = "findings" if one.pk % 5 == 0 else "clean"
        service.sign_round(
            company=sample.company, by=one.external_check.checker, at=sample.at(day, 16), today=day, one=one,
            outcome=outcome, finding=FOUND,
        )  # fmt: skip


def sign_the_first_quarter(sample: Sample) -> None:
    for check in ExternalCheck.objects.filter(company=sample.company).select_related("checker__user", "company"):
        sign(sample, list(check.rounds.all()), sample.anchor)


def draw_a_map(sample: Sample) -> None:
    """A reorganisation that is being thought over: one move of it would join duties that must not meet."""
    people, day = sample.people, sample.anchor - timedelta(days=2)
    draft = drafts.start_reorganisation(
        company=sample.company, by=people["pm"], at=sample.at(day, 15), today=day,
        title="Контроль цифр отдать, Авито разгрузить", starts_on=sample.anchor + timedelta(days=14),
    )  # fmt: skip
    roles_by_code = {role.code: role for role in Role.objects.filter(company=sample.company)}
    moves = (("paid-control", "crm", None, 6), ("performance", "performance", "avito", 16))
    for code, person, channel, hours in moves:
        drafts.add_move(
            company=sample.company, by=people["pm"], draft=draft, kind="appoint", role=roles_by_code[code],
            person=people[person], channel=sample.channels.get(channel), hours_per_week=hours,
        )  # fmt: skip


def tick_duties(sample: Sample) -> None:
    """The last periods of two checklists: mostly ticked, a few duties missed, today's still open."""
    company = sample.company
    for code in ("cmo", "performance"):
        version = RoleVersion.objects.select_related("role").get(company=company, role__code=code, superseded_at=None)
        for one in checklists.checklists(company=company, version=version, today=sample.anchor):
            for number, row in enumerate(one.rows):
                for cell in row.cells[-4:-1]:
                    if (cell.start.toordinal() // 7 + number) % 5 == 0:
                        continue
                    day = min(cell.end, cell.start + timedelta(days=4))
                    duties.tick_duty(
                        company=company, by=one.holder, at=sample.at(day, 17), today=day, role=version.role, key=row.key,
                        channel=one.channel,
                    )  # fmt: skip


def open_review(sample: Sample) -> None:
    """The review of this quarter: the last one is over, and the blog has come."""
    blog = sample.channels["blog"]
    role_reviews.note_triggers(
        company=sample.company, at=sample.at(sample.anchor - timedelta(days=4), 6), today=sample.anchor - timedelta(days=4),
        found=[triggers.quarter_over(sample.anchor), triggers.new_channel(blog.pk, blog.name)],
    )  # fmt: skip
