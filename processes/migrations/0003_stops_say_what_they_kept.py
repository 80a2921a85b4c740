from django.db import migrations


def say_what_was_kept(apps, schema_editor):
    """Stops that were signed before verdicts knew of kept campaigns: the decision's terms name them."""
    decisions = apps.get_model("processes", "Decision").objects.filter(state="signed", choice="stop", campaign=None)
    verdicts = apps.get_model("kpis", "Verdict").objects.filter(kind="stop", campaign=None)
    for breach, terms in decisions.exclude(breach=None).values_list("breach", "terms").iterator():
        if terms.get("keep"):
            verdicts.filter(breach=breach).update(kept=terms["keep"])


class Migration(migrations.Migration):
    dependencies = [
        ("processes", "0002_reviews_and_deadlines"),
        ("kpis", "0008_verdict_keeps_campaigns"),
    ]

    operations = [migrations.RunPython(say_what_was_kept, migrations.RunPython.noop)]
