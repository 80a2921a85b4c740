from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    name = "processes"

    def ready(self) -> None:
        from processes import mailings
        from roles.signals import campaign_leaves_series, campaign_will_run

        campaign_will_run.connect(mailings.check_next_mailing, dispatch_uid="processes.mailings.check_next_mailing")
        campaign_leaves_series.connect(mailings.check_leaving, dispatch_uid="processes.mailings.check_leaving")
