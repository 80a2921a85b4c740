"""WSGI entry: `gunicorn mops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from mops.settling import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mops.settings")
application = get_wsgi_application()
settle()
