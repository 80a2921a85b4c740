from django.db import migrations
from django_scopes import scopes_disabled


def name_doubts(apps, schema_editor):
    """Actions that were born from a disputed figure are doubts: who had one does not answer it."""
    disputes = apps.get_model("reports", "FigureDispute")._base_manager.values("action_id")
    with scopes_disabled():
        apps.get_model("processes", "Action")._base_manager.filter(pk__in=disputes).update(kind="doubt")


class Migration(migrations.Migration):
    dependencies = [("reports", "0003_meeting"), ("processes", "0009_doubts")]

    operations = [migrations.RunPython(name_doubts, migrations.RunPython.noop)]
