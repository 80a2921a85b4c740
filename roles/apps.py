from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class RolesConfig(AppConfig):
    name = "roles"

    def ready(self) -> None:
        from roles import tenancy

        pre_migrate.connect(tenancy.lift_guards, sender=self, dispatch_uid="roles.tenancy.lift_guards")
        post_migrate.connect(tenancy.install_guards, sender=self, dispatch_uid="roles.tenancy.install_guards")
