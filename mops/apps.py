from django.apps import AppConfig


class MopsConfig(AppConfig):
    name = "mops"

    def ready(self):
        from mops import outgoing  # noqa: F401  its system check
