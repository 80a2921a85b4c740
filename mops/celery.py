"""The Celery application and its schedule: in git, safe to run twice, because the database says what is due."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mops.settings")

app = Celery("mops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "sweep": {"task": "mops.sweep", "schedule": 10.0, "options": {"expires": 60}},
}
