from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    name = "processes"

    def ready(self) -> None:
        from processes import mailings
        from roles.signals import campaign_will_run

        campaign_will_run.connect(mailings.check_next_mailing, dispatch_uid="processes.mailings.check_next_mailing")
