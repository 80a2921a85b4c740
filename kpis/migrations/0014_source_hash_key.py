"""Every source gets a key of its own for the customers of its deals; those that have deals keep what told them so far."""

from hashlib import sha256

from django.conf import settings
from django.db import migrations, models

import kpis.models.facts


def keep_the_key(apps, schema_editor):
    """Until now the key followed from the installation's SECRET_KEY and the source (django.utils.crypto.salted_hmac)."""
    Source, Deal = apps.get_model("kpis", "Source"), apps.get_model("kpis", "Deal")
    with_deals = set(Deal.objects.using(schema_editor.connection.alias).values_list("source", flat=True).distinct())
    for source in Source.objects.using(schema_editor.connection.alias).all():
        if source.pk in with_deals:
            secret = f"kpis.deals.{source.company_id}.{source.pk}{settings.SECRET_KEY}"
            source.hash_key = sha256(secret.encode()).hexdigest()
        else:
            source.hash_key = kpis.models.facts.new_hash_key()
        source.save(update_fields=["hash_key"])


class Migration(migrations.Migration):
    dependencies = [
        ('kpis', '0013_evaluation_log_revision'),
    ]

    operations = [
        migrations.AddField(
            model_name='source',
            name='hash_key',
            field=models.CharField(default=kpis.models.facts.new_hash_key, editable=False, help_text='hex; titles and customers of its deals are told by it', max_length=64),
        ),
        migrations.RunPython(keep_the_key, migrations.RunPython.noop),
    ]
