"""The tables of the pages as they leave in files; what is on the screen is in the file, with the same figures."""

from collections.abc import Iterable
from decimal import Decimal

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from processes.wording import choice_title
from reports.csvfile import csv_file
from reports.selectors.channel_rows import Group, Row
from reports.selectors.summary import Summary, SummaryFigure
from reports.tables import Cell, Column, Kind, Table
from reports.workbook import workbook_file
from roles.models import Company

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


def as_attachment(content: bytes | str, content_type: str, name: str) -> HttpResponse:
    """A download under this name, Cyrillic and all."""
    header = {"Content-Disposition": content_disposition_header(True, name)}
    return HttpResponse(content, content_type=content_type, headers=header)


def as_csv(table: Table, name: str) -> HttpResponse:
    """One table as `<name>.csv`."""
    return as_attachment(csv_file(table), "text/csv; charset=utf-8", f"{name}.csv")


def as_workbook(tables: Iterable[Table], name: str) -> HttpResponse:
    """Tables as the sheets of `<name>.xlsx`."""
    return as_attachment(workbook_file(tables), XLSX, f"{name}.xlsx")


# ---------------------------------------------------------------- the owner's page
def channel_table(groups: list[Group], total: Row) -> Table:
    """The dashboard's channels: one line each, then all of them. Money in full units, ROMI as a share."""
    money, count = Kind.MONEY, Kind.COUNT
    columns = [
        Column(_("Channel")), Column(_("Code")), Column(_("Kind")), Column(_("Owner")), Column(_("Leads"), count),
        Column("CPL", money), Column("CAC", money), Column(_("Spend"), money), Column(_("Gross profit"), money),
        Column(_("Earned"), money), Column("ROMI", Kind.SHARE), Column(_("Plan of earnings to date"), money),
    ]  # fmt: skip
    rows = [
        [row.channel.name, row.channel.code, str(group.kind.label), str(row.channel.owner or ""), *_figures(row)]
        for group in groups
        for row in group.rows
    ]
    return Table(_("Channels"), columns, [*rows, [_("All channels"), "", "", "", *_figures(total)]], total=True)


def _figures(row: Row) -> list[Decimal | None]:
    return [
        row.metrics["leads"], row.kpis.get("cpl"), row.kpis.get("cac"), row.metrics["spend"], row.metrics["gross_profit"],
        row.earned, row.romi, row.plan,
    ]  # fmt: skip


# ---------------------------------------------------------------- the summary of a week
def summary_tables(company: Company, summary: Summary) -> list[Table]:
    """Channels, figures, decisions and actions of the week."""
    return [_channels(summary), _week_figures(summary), _decisions(company, summary), _actions(summary)]


def _channels(summary: Summary) -> Table:
    columns = [
        Column(_("Channel")), Column(_("Plan"), Kind.MONEY), Column(_("Earned"), Kind.MONEY),
        Column(_("To plan"), Kind.MONEY), Column("ROMI", Kind.SHARE), Column(_("Conclusion")),
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [row.channel.name, row.plan, row.earned, row.off, row.romi, row.conclusion] for row in summary.channels
    ]
    rows.append([_("All"), summary.plan, summary.earned, summary.off, summary.romi, ""])
    return Table(_("Channels"), columns, rows, total=True)


def _week_figures(summary: Summary) -> Table:
    """Figures of different units stand in one column: their unit is told beside them."""
    columns = [
        Column(_("Figure")), Column(_("Unit")), Column(_("Plan"), Kind.COUNT), Column(_("Fact"), Kind.COUNT),
        Column(_("Reported as"), Kind.COUNT),
    ]  # fmt: skip
    return Table(_("Figures of the week"), columns, [_figure(row) for row in summary.figures])


def _figure(row: SummaryFigure) -> list[Cell]:
    units = {"money": _("money"), "share": _("share"), "count": _("count")}
    return [
        row.name,
        units.get(row.unit, row.unit),
        row.plan,
        row.value,
        row.restated.was if row.restated else None,
    ]


def _decisions(company: Company, summary: Summary) -> Table:
    columns = [
        Column(_("Decision")), Column(_("About")), Column(_("State")), Column(_("Choice")), Column(_("Signed by")),
        Column(_("Signed on"), Kind.DATE), Column(_("Reason")),
    ]  # fmt: skip
    rows = [
        [
            str(one), one.subject.name, str(one.get_state_display()), choice_title(one.choice),
            str(one.signed_by or ""), one.signed_at and company.local_date(one.signed_at), one.reason,
        ]
        for one in summary.decisions
    ]  # fmt: skip
    return Table(_("Decisions of the week"), columns, rows)


def _actions(summary: Summary) -> Table:
    columns = [
        Column(_("Action")), Column(_("Channel")), Column(_("Owner")), Column(_("Due on"), Kind.DATE), Column(_("State")),
    ]  # fmt: skip
    rows = [
        [one.text, one.channel.name if one.channel else "", str(one.owner), one.due_on, str(one.get_state_display())]
        for one in summary.actions
    ]
    return Table(_("Actions that reports promised"), columns, rows)
