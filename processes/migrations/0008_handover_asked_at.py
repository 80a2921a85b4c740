from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django_scopes import scopes_disabled


def ask_from_the_start(apps, schema_editor):
    """Nobody wrote down when a successor was asked: for those who have not answered it was with the plan."""
    item, handover = apps.get_model("processes", "HandoverItem"), apps.get_model("processes", "Handover")
    started = handover._base_manager.filter(pk=OuterRef("handover_id")).values("created_at")
    with scopes_disabled():
        waiting = item._base_manager.filter(asked_at=None).exclude(successor=None)
        waiting.update(asked_at=Subquery(started[:1]))


class Migration(migrations.Migration):
    dependencies = [("processes", "0007_handover_of_accesses")]

    operations = [
        migrations.AddField(
            model_name="handoveritem",
            name="asked_at",
            field=models.DateTimeField(blank=True, help_text="when the successor of now was asked", null=True),
        ),
        migrations.RunPython(ask_from_the_start, migrations.RunPython.noop),
    ]
