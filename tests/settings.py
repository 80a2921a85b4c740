"""Settings of the tests: the real ones with a fast hasher, plain static files, mail in memory and tasks run at once."""

import os
import tempfile

os.environ.setdefault("MOPS_VAR", tempfile.mkdtemp(prefix="mops-tests-"))

from mops.settings import *  # noqa: F403
from mops.settings import DATABASE_URL, DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    # Every worker has uploads of its own: companies of two databases share their numbers, and one's sweep took the other's.
    "default": STORAGES["default"] | {"OPTIONS": {"location": tempfile.mkdtemp(prefix="mops-uploads-")}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "mops_cache"},
    "progress": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "progress"},
    "throttle": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}
CELERY_BROKER_URL = "memory://"  # kicks go nowhere: the worker of another test must not wake up to them
if DATABASE_URL:
    # Whoever waits for a lock or forgets a transaction gets an error that names the query.
    DATABASES["default"]["OPTIONS"]["options"] += (
        " -c lock_timeout=60s -c statement_timeout=120s -c idle_in_transaction_session_timeout=120s"
    )
else:
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
    DATABASES["default"]["OPTIONS"] = {}
