"""The Celery application and its schedule: in git, safe to run twice, because the database says what is due."""

import os

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mops.settings")

app = Celery("mops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _settle(**_sent) -> None:
    from mops.settling import settle  # needs the apps, which are not loaded when this module is

    settle()


SWEEP_EVERY = float(os.environ.get("SWEEP_SECONDS", "10"))
app.conf.beat_schedule = {
    "sweep": {"task": "mops.sweep", "schedule": SWEEP_EVERY, "options": {"expires": 60}},
}
