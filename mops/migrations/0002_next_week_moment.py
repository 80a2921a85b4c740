from django.db import migrations, models


class Migration(migrations.Migration):
    """The last moment becomes the next one. A moment that is past is due at once, and the pass puts the right one there."""

    dependencies = [("mops", "0001_initial")]

    operations = [
        migrations.RenameField("progress", "week_moment_at", "week_next_at"),
        migrations.AlterField(
            "progress",
            "week_next_at",
            models.DateTimeField(help_text="the next moment of the report week to deal with", null=True),
        ),
    ]
