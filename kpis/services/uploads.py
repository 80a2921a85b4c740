"""Uploads before they are loads: how large, the same as which, and what of them is kept."""

import csv
import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.files.base import File

from kpis.importers.base import FileProblem
from kpis.problems import file_sentence
from roles.refusals import FieldError, Refused

IN_MEMORY = 4 * 1024**2


class BadFile(Refused):
    """The file as a whole cannot be loaded; the message says what to do with it."""

    code = "bad_file"

    def __init__(self, problem: FileProblem):
        message = file_sentence(problem)
        super().__init__(message, [FieldError("file", problem.code, message)])


class FileTooLarge(BadFile):
    status = 413


def digest_of(upload: File) -> str:
    """SHA-256 of an upload, read in pieces; FileTooLarge beyond the limit of the settings."""
    most = settings.UPLOAD_MAX_BYTES
    if (upload.size or 0) > most:
        raise FileTooLarge(FileProblem("file_too_large", most=most // 1024**2))
    made = hashlib.sha256()
    for chunk in upload.chunks():
        made.update(chunk)
    return made.hexdigest()


@contextmanager
def kept(upload: File, records: Iterator[list[str]] | None) -> Iterator[File]:
    """What is stored of an upload: itself, or these records of it, as CSV with the rows at their places."""
    if records is None:
        upload.seek(0)
        yield upload
        return
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as made:
        text = io.TextIOWrapper(made, "utf-8-sig", newline="")
        writer = csv.writer(text, delimiter=";")
        try:
            writer.writerows(records)
        except FileProblem as problem:
            raise BadFile(problem) from problem
        text.flush()
        made.seek(0)
        yield File(made, name=upload.name)
        text.detach()
