"""Four weeks of a company with a moved clock, through the pipeline at its own moments: deadlines, lateness, lock, carry-over,
letters, a holiday, an excused absence, and a change of clocks.

Moscow, from Monday 19.10.2026: week 43 in time; week 44 late, then missed; week 45 has the holiday of 4.11 and a day off on
its Friday; in week 46 the company moves to Berlin. Berlin's own change of clocks is lived in `test_clocks_change`.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django_scopes import scope

from kpis.services import facts as fact_services
from kpis.services.kpis import install_builtin_kpis
from kpis.services.targets import set_target
from mops import clockwork
from mops.models import Notification, Progress
from processes.models import Action
from reports.filing import ActionDraft, FactDraft, FactNotOpen, ItemDraft, PlanDraft, Promise, ReportLocked
from reports.models import WeeklyReport
from reports.selectors.discipline import discipline_page
from reports.selectors.weekly import fact_part
from reports.services import carried, fact, plan, review, schedule
from reports.services.summary import CarriedActions, write_summary
from roles.models import AuditEvent
from roles.services.companies import update_company
from roles.services.people import add_absence

FIRST = date(2026, 10, 19)


class Life:
    """One company whose days are lived one after the other; people act between the moments of a day."""

    def __init__(self, made, first: date = FIRST):
        self.made, self.company, self.first = made, made.company, first
        self.known: set[date] = set()
        self.lived = first - timedelta(days=5)  # the Wednesday before: the plan opens on the next day

    def at(self, week: int, day: int, hour: int, minute: int = 0) -> datetime:
        local = datetime.combine(self.first + timedelta(weeks=week, days=day), time(hour, minute))
        return local.replace(tzinfo=self.company.zone).astimezone(UTC)

    def until(self, week: int, day: int) -> None:
        """Live every day up to this one, it included; yesterday's figures come each morning."""
        last = self.first + timedelta(weeks=week, days=day)
        while self.lived < last:
            self.lived += timedelta(days=1)
            self.morning(self.lived)
            clockwork.run_day(company=self.company, day=self.lived)

    def morning(self, today: date) -> None:
        """Yesterday's figures, once; then a person may act before the rest of the day is lived."""
        day = today - timedelta(days=1)
        if day in self.known:
            return
        self.known.add(day)
        rows = [
            {"channel": code, "date": day.isoformat(), "spend": Decimal(spend), "leads": 10, "qualified_leads": 5,
             "gross_profit": Decimal(3000)}
            for code, spend in (("vk", 1400), ("blog", 1000))
        ]  # fmt: skip
        at = datetime.combine(day + timedelta(days=1), time(5), tzinfo=self.company.zone).astimezone(UTC)
        fact_services.record_facts(company=self.company, by=self.made.analyst, at=at, source_code="crm", rows=rows)

    def report(self, week: int, code: str = "vk") -> WeeklyReport:
        return WeeklyReport.objects.select_related("channel__owner__user", "company").get(
            company=self.company, channel__code=code, week=self.first + timedelta(weeks=week)
        )

    def plan(self, week: int, at: datetime, code: str = "vk") -> WeeklyReport:
        report = self.report(week, code)
        items = [ItemDraft("Новые объявления", Decimal(6), "п. 2.1")]
        return plan.submit_plan(
            company=self.company, by=report.channel.owner, at=at, report=report, plan=PlanDraft(items=items)
        )

    def fact(self, week: int, at: datetime, code: str = "vk", move_to: date | None = None) -> WeeklyReport:
        """The fact; VK spends 40 % too much every week, and moves what it promised."""
        report = self.report(week, code)
        found = Action.objects.filter(channel=report.channel, state="open").order_by("pk")
        marks = [
            Promise(a.pk, "move", move_to) if a.carried < 3 and move_to else Promise(a.pk, "stand_up") for a in found
        ]
        actions = (
            [] if found else [ActionDraft("Собрать аудиторию", report.channel.owner_id, self.company.local_date(at))]
        )
        return fact.submit_fact(
            company=self.company, by=report.channel.owner, at=at, report=report,
            fact=FactDraft(
                cause="market", conclusion="Показ дорожает", no_action_reason="" if actions else "Ждём аудиторию",
                actions=actions, promises=marks, actuals={item.pk: Decimal(6) for item in report.plan_items.all()},
            ),
        )  # fmt: skip

    def marks(self, week: int, code: str = "vk") -> tuple[str, str, str]:
        report = self.report(week, code)
        return report.plan_timeliness, report.timeliness, report.state


@pytest.fixture
def life(acme):
    with scope(company=acme.company):
        install_builtin_kpis(company=acme.company, at=datetime(2026, 1, 1, tzinfo=UTC))
        for month in (10, 11):
            for channel in (acme.vk, acme.blog):
                for code, daily in (("spend", 1000), ("leads", 10), ("qualified_leads", 5)):
                    days = 31 if month == 10 else 30
                    set_target(
                        company=acme.company, by=acme.cmo, at=datetime(2026, 1, 1, tzinfo=UTC), measure=code,
                        month=date(2026, month, 1), value=Decimal(daily * days), reason="План", channel=channel,
                    )  # fmt: skip
        yield Life(acme)


def letters(company, name: str) -> list[str]:
    return list(Notification.objects.filter(company=company, key__startswith=f"{name}:").values_list("key", flat=True))


def test_four_weeks(life):
    first_week_in_time(life)
    second_week_late_and_missed(life)
    third_week_with_a_holiday(life)
    fourth_week_and_the_third_move(life)

    found = discipline_page(company=life.company, at=life.at(4, 2, 9))
    assert found.fact.filled_after == 1
    assert found.fact.excused == 1
    assert sorted(letters(life.company, "digest")) == sorted(set(letters(life.company, "digest")))
    assert len(mail.outbox) >= 4


def first_week_in_time(life):
    life.until(0, -1)
    assert life.report(0).plan_lines.get(measure="spend").value == 7000  # 1 000 ₽ a day by the targets
    life.plan(0, life.at(0, 0, 11))
    life.plan(0, life.at(0, 0, 11), "blog")
    life.until(0, 3)
    with pytest.raises(FactNotOpen, match="12:00"):
        life.fact(0, life.at(0, 3, 12))
    life.morning(life.first + timedelta(days=4))
    life.fact(0, life.at(0, 4, 15))
    life.fact(0, life.at(0, 4, 15), "blog")
    assert life.marks(0)[:2] == ("on_time", "on_time")
    seen = life.report(0).snapshot["measures"]["spend"]
    life.until(1, 0)

    report = life.report(0)
    assert report.state == "locked"
    assert (Decimal(seen), Decimal(report.final["measures"]["spend"])) == (4 * 1400, 7 * 1400)
    assert "digest:2026-W43" in letters(life.company, "digest")
    with pytest.raises(ReportLocked):
        life.fact(0, life.at(1, 0, 12, 1))


def second_week_late_and_missed(life):
    assert life.marks(1)[0] == "late"  # nobody filed the plan by Monday noon
    life.plan(1, life.at(1, 0, 15))
    assert life.marks(1)[0] == "late"
    life.until(1, 4)
    assert life.marks(1)[1] == "late"
    digest = Notification.objects.get(key="digest:2026-W44")
    assert "Молчат" in digest.text
    assert "VK Реклама" in digest.text
    life.fact(1, life.at(1, 5, 10), move_to=life.first + timedelta(weeks=2))
    assert life.marks(1)[1] == "late"
    life.until(2, 0)

    assert life.marks(1, "blog") == ("missed", "missed", "locked")
    review.reopen_report(
        company=life.company,
        by=life.made.cmo,
        at=life.at(2, 0, 13),
        report=life.report(1, "blog"),
        reason="Нужен вывод",
    )
    life.fact(1, life.at(2, 0, 14), "blog", move_to=life.first + timedelta(weeks=3))
    life.until(2, 1)
    report = life.report(1, "blog")
    assert (report.timeliness, report.state) == ("missed", "locked")
    assert fact_part(report, life.at(2, 2, 9)).after
    assert AuditEvent.objects.filter(verb="reopen_weekly_report", reason="Нужен вывод").exists()


def third_week_with_a_holiday(life):
    """4.11 is a holiday, and the company rests on Friday: the fact is due on Monday 18:00, the lock comes on Tuesday."""
    add_absence(
        company=life.company, by=life.made.content, at=life.at(2, 1, 10), person=life.made.content,
        starts_on=life.first + timedelta(weeks=2, days=2), ends_on=life.first + timedelta(weeks=3, days=1), reason="Отпуск",
    )  # fmt: skip
    schedule.set_company_days(
        company=life.company, by=life.made.pm, at=life.at(2, 1, 10), first=life.first + timedelta(weeks=2, days=4),
        name="День компании",
    )  # fmt: skip
    report = life.report(2)
    assert report.fact_due_at == life.at(3, 0, 18)
    assert report.locks_at == life.at(3, 1, 12)
    life.until(3, -1)
    assert life.marks(2)[1] == ""
    assert "digest:2026-W45" not in letters(life.company, "digest")
    life.fact(2, life.at(3, 0, 9), move_to=life.first + timedelta(weeks=4))
    assert life.marks(2)[1] == "on_time"
    life.until(3, 1)
    assert life.marks(2, "blog") == ("missed", "excused", "locked")
    assert "digest:2026-W45" in letters(life.company, "digest")


def fourth_week_and_the_third_move(life):
    """The zone changes in the week: this week keeps its moments, the next one has Berlin's."""
    due = life.report(3).fact_due_at
    update_company(company=life.company, by=life.made.owner, at=life.at(3, 2, 10), timezone="Europe/Berlin")
    life.company.refresh_from_db()
    life.until(3, 3)
    assert life.report(3).fact_due_at == due
    assert life.report(4).plan_due_at == datetime(2026, 11, 16, 11, tzinfo=UTC)
    life.fact(3, due - timedelta(hours=1), move_to=life.first + timedelta(weeks=5))
    assert life.marks(3)[1] == "on_time"

    stuck = Action.objects.get(channel=life.made.vk)
    assert stuck.carried == 3
    given = {
        "company": life.company,
        "by": life.made.cmo,
        "at": life.at(4, 0, 9),
        "week": life.first + timedelta(weeks=3),
    }
    with pytest.raises(CarriedActions):
        write_summary(**given, text="Итоги")
    carried.settle_carried(
        company=life.company, by=life.made.cmo, at=life.at(4, 0, 9), action=stuck, choice="hand_over",
        reason="Третий перенос", owner_id=life.made.pm.pk, due_on=life.first + timedelta(weeks=5),
    )  # fmt: skip
    assert write_summary(**given, text="Итоги").text == "Итоги"
    life.until(4, 1)
    assert life.marks(3)[2] == "locked"
    assert Progress.objects.get(company=life.company).week_next_at > life.at(4, 1, 12)


def test_clocks_change(acme):
    """Berlin goes back at 03:00 on Sunday 25.10.2026: Friday is due at 18:00 of summer, Monday locks at 12:00 of winter."""
    acme.company.timezone = "Europe/Berlin"
    acme.company.save()
    with scope(company=acme.company):
        life = Life(acme)
        life.until(1, 0)
        report = life.report(0)
        runs = AuditEvent.objects.filter(verb="lock_weekly_report", object_id=str(report.pk))

        assert report.fact_due_at == datetime(2026, 10, 23, 16, tzinfo=UTC)
        assert report.locks_at == datetime(2026, 10, 26, 11, tzinfo=UTC)
        assert report.state == "locked"
        assert [event.at for event in runs] == [report.locks_at]
        assert letters(acme.company, "digest").count("digest:2026-W43") == 1
