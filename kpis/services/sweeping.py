"""Uploads that nobody needs any more: of loads that ended long ago, and of loads that never came to be."""

import logging
from datetime import datetime, timedelta

from django.core.files.storage import default_storage

from kpis.models import Import, upload_folder
from roles.models import Company

log = logging.getLogger("mops.imports")
KEPT = timedelta(days=30)
MOST = 50
"""Files of one kind that one sweep drops; the next day's takes the rest."""
ORPHANED = timedelta(days=1)
"""A file is stored before its load: one without a load for so long belongs to a process that was killed in between."""


def sweep_uploads(*, company: Company, at: datetime) -> int:
    """Forget what is not needed, once a day; how many files went. Repeated or killed in the middle it does no harm."""
    return drop_old_files(company=company, at=at) + drop_orphans(company=company, at=at)


def drop_old_files(*, company: Company, at: datetime) -> int:
    """Forget uploads 30 days after their load ended; the rows and what they changed stay. A preview that nobody
    answered for so long is dropped."""
    mine = Import.objects.filter(company=company)
    mine.filter(state=Import.State.PREVIEW, created_at__lt=at - KEPT).update(state=Import.State.UNDONE, finished_at=at)
    old = mine.filter(finished_at__lt=at - KEPT).exclude(file="").exclude(file=None)
    dropped = list(old[:MOST])
    for load in dropped:
        default_storage.delete(load.file.name)
    mine.filter(pk__in=[load.pk for load in dropped]).update(file="")
    return len(dropped)


def drop_orphans(*, company: Company, at: datetime) -> int:
    """Files of the company's folder that no load knows and that have lain there for a day."""
    folder = upload_folder(company.pk)
    if not default_storage.exists(folder):
        return 0
    named = Import.objects.filter(company=company, file__startswith=folder).values_list("file", flat=True)
    stray = sorted({f"{folder}{name}" for name in default_storage.listdir(folder)[1]} - set(named))
    orphans = [name for name in stray if default_storage.get_modified_time(name) < at - ORPHANED][:MOST]
    for name in orphans:
        log.warning("an upload without a load is dropped: %s", name)
        default_storage.delete(name)
    return len(orphans)
