"""Wiring of MOPS: settings, urls, Celery, the daily pipeline, commands."""

from mops.celery import app as celery_app

__all__ = ["celery_app"]
