from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "reports"

    def ready(self):
        from kpis.selectors.as_known import tell_due
        from reports.selectors.calendar import fact_due_of

        tell_due(fact_due_of)
