"""Addresses of `reports/`, all inside `/c/<slug>/`."""

from django.urls import path

from reports.views import channel, dashboard, discipline, disputes, schedule, stand_up, summary, today, walk, weekly

app_name = "reports"

urlpatterns = [
    path("reports/dashboard/", dashboard.dashboard, name="dashboard"),
    path("reports/dashboard/channels.csv", dashboard.dashboard_channels, {"kind": "csv"}, name="dashboard-channels"),
    path("reports/dashboard/channels.xlsx", dashboard.dashboard_channels, {"kind": "xlsx"}, name="dashboard-workbook"),
    path("reports/today/", today.today, name="today"),
    path("reports/channels/", channel.channel_list, name="channel-list"),
    path("reports/channels/<slug:code>/", channel.channel_detail, name="channel-detail"),
    path("reports/weekly-reports/", weekly.weekly_report_list, name="weekly-report-list"),
    path("reports/weekly-reports/<int:pk>/", weekly.weekly_report_detail, name="weekly-report-detail"),
    path("reports/weekly-reports/<int:pk>/save/", weekly.weekly_report_save, name="weekly-report-save"),
    path(
        "reports/weekly-reports/<int:pk>/submit-plan/",
        weekly.weekly_report_submit_plan,
        name="weekly-report-submit-plan",
    ),
    path(
        "reports/weekly-reports/<int:pk>/submit-fact/",
        weekly.weekly_report_submit_fact,
        name="weekly-report-submit-fact",
    ),
    path("reports/weekly-reports/<int:pk>/accept/", weekly.weekly_report_accept, name="weekly-report-accept"),
    path("reports/weekly-reports/<int:pk>/return/", weekly.weekly_report_return, name="weekly-report-return"),
    path("reports/weekly-reports/<int:pk>/reopen/", weekly.weekly_report_reopen, name="weekly-report-reopen"),
    path("reports/weekly-reports/<int:pk>/dispute/", disputes.weekly_report_dispute, name="weekly-report-dispute"),
    path("reports/actions/<int:pk>/settle/", disputes.action_settle, name="action-settle"),
    path("reports/discipline/", discipline.discipline, name="discipline"),
    path("reports/my-week/", walk.my_week, name="my-week"),
    path("reports/my-week/submit/", walk.my_week_submit, name="my-week-submit"),
    path("reports/week-schedule/", schedule.week_schedule, name="week-schedule"),
    path("reports/week-schedule/update/", schedule.week_schedule_update, name="week-schedule-update"),
    path("reports/company-days/new/", schedule.company_day_create, name="company-day-create"),
    path("reports/company-days/<int:pk>/remove/", schedule.company_day_remove, name="company-day-remove"),
    path("reports/week-summary/", summary.week_summary, name="week-summary"),
    path("reports/week-summary/update/", summary.week_summary_update, name="week-summary-update"),
    path("reports/stand-up/", stand_up.stand_up, name="stand-up"),
    path("reports/week-summary/slides.pptx", summary.week_deck, name="week-deck"),
    path("reports/week-summary/tables.xlsx", summary.week_tables, {"kind": "xlsx"}, name="week-workbook"),
    path("reports/week-summary/channels.csv", summary.week_tables, {"kind": "csv"}, name="week-channels"),
]
