"""The Celery application and its schedule: in git, safe to run twice, because the database says what is due."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mops.settings")

app = Celery("mops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
SWEEP_EVERY = float(os.environ.get("SWEEP_SECONDS", "10"))
app.conf.beat_schedule = {
    "sweep": {"task": "mops.sweep", "schedule": SWEEP_EVERY, "options": {"expires": 60}},
}
