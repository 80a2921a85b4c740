"""The figures beside the entries of the menu: what waits for this person, in two queries on every page."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from kpis.selectors.sources import silent_count
from reports.selectors.weekly import channels_held
from roles.models import Company, Membership
from roles.permissions import Permission


@dataclass(frozen=True)
class Figure:
    """A figure beside an entry; `hot`: something is overdue or broken, drawn in the warning colour."""

    n: int
    hot: bool = False


def counts_for(*, company: Company, person: Membership, at: datetime) -> dict[str, Figure]:
    """By the name of the entry's page. Zeros are left out; sources are counted for whoever may load figures."""
    row = _row(company, person, at)
    found = {
        "reports:weekly-report-list": Figure(row["plans"] + row["facts"] + row["reviews"], row["overdue"] > 0),
        "processes:decision-list": Figure(row["decisions"], row["late_decisions"] > 0),
        "mops:notification-list": Figure(row["unread"]),
    }
    if person.can(Permission.ENTER_FACTS) or person.can(Permission.DECIDE):
        found["kpis:source-list"] = Figure(silent_count(company=company, at=at), hot=True)
    return {name: count for name, count in found.items() if count.n}


OPEN_NOW = "(locks_at > %(at)s OR reopened_until > %(at)s)"
PLANS = f"{OPEN_NOW} AND plan_submitted_at IS NULL AND state <> 'locked'"
FACTS = f"{OPEN_NOW} AND fact_opens_at <= %(at)s AND state IN ('empty', 'draft', 'returned')"
SQL = f"""
SELECT * FROM
  (SELECT count(*) FILTER (WHERE mine AND {PLANS}) AS plans, count(*) FILTER (WHERE mine AND {FACTS}) AS facts,
          count(*) FILTER (WHERE mine AND ({PLANS} AND plan_due_at <= %(at)s OR {FACTS} AND fact_due_at <= %(at)s)) AS overdue,
          count(*) FILTER (WHERE state = 'submitted' AND locks_at > %(at)s) AS reviews
   FROM (SELECT r.*, channel_id IN ({{held}}) AS mine FROM reports_weeklyreport r WHERE company_id = %(company)s) r) r,
  (SELECT count(*) AS decisions, count(*) FILTER (WHERE deadline_at < %(at)s) AS late_decisions
   FROM processes_decision WHERE company_id = %(company)s AND state IN ('open', 'waiting_cosign')) d,
  (SELECT count(*) AS unread FROM mops_notification
   WHERE company_id = %(company)s AND person_id = %(person)s AND read_at IS NULL) n
"""
"""Written by hand: it stands on every page, and the ORM takes longer to write it than the database to answer."""


def _row(company: Company, person: Membership, at: datetime) -> dict[str, int]:
    """All counts of the database in one query."""
    held = ", ".join(str(int(pk)) for pk in channels_held(person)) or "0"
    moment = connection.ops.adapt_datetimefield_value(at)
    with connection.cursor() as cursor:
        cursor.execute(SQL.format(held=held), {"at": moment, "company": company.pk, "person": person.pk})
        found = dict(zip((column[0] for column in cursor.description), cursor.fetchone(), strict=True))
    return found if person.can(Permission.REVIEW_REPORT) else found | {"reviews": 0}
