from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("processes", "0008_handover_asked_at")]

    operations = [
        migrations.AlterField(
            model_name="action",
            name="kind",
            field=models.CharField(
                choices=[
                    ("todo", "to-do"),
                    ("stop", "stop in the cabinet"),
                    ("rewrite", "rewrite"),
                    ("cut", "cut in the cabinet"),
                    ("flag", "put right"),
                    ("doubt", "look at a doubted figure"),
                ],
                default="todo",
                max_length=10,
            ),
        ),
    ]
