from django.apps import AppConfig


class KpisConfig(AppConfig):
    name = "kpis"

    def ready(self) -> None:
        from kpis import bounds
        from roles.signals import bounds_will_change

        bounds_will_change.connect(bounds.look_at_bounds, dispatch_uid="kpis.bounds.look_at_bounds")
