"""The stand-ups of the sample company: last week's was held, the coming one has its topics."""

from datetime import date, datetime, timedelta

from mops.demo.founding import Sample
from processes.services import carry_action, create_action
from reports.selectors.calendar import week_book
from reports.services import meetings
from reports.slides.content import deck_of

HELD = ("Авито: цену держим, бюджет растёт", "Блог без отчёта: нужен заместитель", "Переписать письма о замере")
COMING = ("VK: возвращаем после стопа или нет", "Сайт: форма на телефоне")
SECONDS_EACH = 150


def hold_the_stand_ups(sample: Sample, monday: date, now: datetime) -> None:
    """The last stand-up whose hour has come, on the week before it; topics of the one to come."""
    book = week_book(company=sample.company)
    week = monday - timedelta(weeks=1)
    if book.deadlines(week).standup_at + timedelta(hours=1) > now:
        week -= timedelta(weeks=1)
    _hold(sample, week, book.deadlines(week).standup_at)
    meetings.write_topics(
        company=sample.company, by=sample.people["cmo"], at=now, week=week + timedelta(weeks=1), topics=list(COMING)
    )  # fmt: skip


def leave_one_stuck(sample: Sample, now: datetime) -> None:
    """An action that was moved three times: the stand-up has to choose what becomes of it."""
    channel = sample.channels["site"]
    owner = next(person for person in sample.people.values() if person.pk == channel.owner_id)
    given = {"company": sample.company, "by": owner}
    today = sample.company.local_date(now)
    action = create_action(
        **given, at=now - timedelta(days=24), text="Сократить форму расчёта до трёх полей", owner=owner,
        due_on=today - timedelta(days=21), channel=channel,
    )  # fmt: skip
    for days in (21, 14, 7):
        carry_action(
            **given, at=now - timedelta(days=days), action=action, due_on=today + timedelta(days=7 - days)
        )  # fmt: skip


def _hold(sample: Sample, week: date, at: datetime) -> None:
    company, cmo, pm = sample.company, sample.people["cmo"], sample.people["pm"]
    given = {"company": company, "week": week}
    meetings.write_topics(**given, by=cmo, at=at - timedelta(minutes=20), topics=list(HELD))
    deck = deck_of(company=company, person=cmo, week=week, at=at)
    codes = [slide.money.channel.code for slide in deck.channels]
    meetings.start_meeting(**given, by=pm, at=at + timedelta(minutes=1), slide=codes[0])
    meetings.claim_presenter(**given, by=cmo, at=at + timedelta(minutes=4))
    end = at + timedelta(minutes=4)
    for code in [*codes[1:], meetings.SUMMARY]:
        end += timedelta(seconds=SECONDS_EACH)
        meetings.turn_slide(**given, by=cmo, at=end, slide=code)
    present = [person for code, person in sample.people.items() if code not in {"contractor", "owner"}]
    meetings.end_meeting(
        **given, by=cmo, at=end + timedelta(minutes=3), present=present,
        deck=deck_of(company=company, person=cmo, week=week, at=end),
    )  # fmt: skip
