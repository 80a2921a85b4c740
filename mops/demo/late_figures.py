"""What is wrong with the figures of the sample company: a counter that fell silent, a day that the CRM told twice, days in
doubt, and a figure that somebody had to type."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from kpis.services.facts import record_facts
from kpis.services.incidents import open_doubt
from kpis.services.typed import type_figures
from kpis.typed import Place
from mops.demo import world
from mops.demo.founding import Sample
from processes.services import close_action
from reports.selectors.carried import stuck_actions
from reports.services.summary import write_summary

OLD_COUNTER, SILENT_DAYS, OLD_DAYS = "metrica-old", 9, 60
RESTATED = "site"
LATE_LEADS, LATE_QUALIFIED = 3, 2
"""Leads that the CRM gave only after the week was reported."""
DOUBTED, DOUBT = (12, 11), "Метрика посчитала роботов: визиты втрое выше обычных. Жду пересчёта от поддержки."
ARTICLE, REACH = 3, 12_400
SUMMARY = (
    "Неделя ровная: сайт вытянула починенная форма, VK дорожает — выносим на стендап. Авито держим до конца срока."
)


def restated_day(anchor: date) -> date:
    """The Wednesday of the last full week."""
    return anchor - timedelta(days=anchor.weekday() + 5)


def first_told(row: world.SampleRow, anchor: date) -> dict[str, int]:
    """What a source said of a day at first; the rest came later, see `restate`."""
    if (row.source, row.channel, row.day) != ("crm", RESTATED, restated_day(anchor)):
        return row.values
    late = {"leads": LATE_LEADS, "qualified_leads": LATE_QUALIFIED}
    return row.values | {code: max(row.values[code] - count, 0) for code, count in late.items()}


def restate(sample: Sample, now: datetime) -> None:
    """On Monday, after the summary was written and the week was locked, the CRM gives the day as it was."""
    day = restated_day(sample.anchor)
    monday = sample.anchor - timedelta(days=sample.anchor.weekday())
    for action in list(stuck_actions(company=sample.company)):  # the summary waits for a word about them
        close_action(
            company=sample.company, by=sample.people["cmo"], at=min(sample.at(monday, 8), now), action=action,
            note="Сделано на прошлой неделе",
        )  # fmt: skip
    write_summary(
        company=sample.company, by=sample.people["cmo"], at=min(sample.at(monday, 9), now), week=monday - timedelta(weeks=1),
        text=SUMMARY,
    )  # fmt: skip
    rows = [row for row in world.rows(day, sample.anchor) if row.source == "crm" and row.channel == RESTATED]
    _load(sample, "crm", rows, min(sample.at(monday, 13), now))


def run_the_old_counter(sample: Sample) -> None:
    """The second counter of the site, weaker than the first, until it fell silent."""
    last = sample.anchor - timedelta(days=SILENT_DAYS)
    rows = [
        row
        for back in range(OLD_DAYS)
        for row in world.rows(last - timedelta(days=back), sample.anchor)
        if row.source == "metrica" and row.channel == RESTATED
    ]
    _load(sample, OLD_COUNTER, rows, sample.at(last + timedelta(days=1), 6, 5))


def doubt_and_type(sample: Sample, now: datetime) -> None:
    """Two days of the blog that the analyst does not trust, and the reach of a magazine's article, which no system tells."""
    acting = {"company": sample.company, "by": sample.people["analyst"], "at": now}
    first, last = (sample.anchor - timedelta(days=age) for age in DOUBTED)
    open_doubt(**acting, channel=sample.channels["blog"], first_day=first, last_day=last, why=DOUBT)
    place = Place(sample.anchor - timedelta(days=ARTICLE), sample.channels["pr"].pk, "impressions")
    type_figures(**acting, values={place: Decimal(REACH)}, seen={})


def _load(sample: Sample, source: str, rows: list[world.SampleRow], at: datetime) -> None:
    facts = [
        {"channel": row.channel, "campaign": row.campaign, "date": row.day.isoformat()}
        | {code: Decimal(value) for code, value in row.values.items()}
        for row in rows
    ]
    record_facts(company=sample.company, by=sample.people["analyst"], at=at, source_code=source, rows=facts)
