"""The version of a row that has no version of its own: what its ETag is made of."""

import hashlib
import json

from django.db import models


def row_version(obj: models.Model) -> str:
    """A short fingerprint of every column: any change to the row gives another one."""
    values = {field.attname: str(getattr(obj, field.attname)) for field in obj._meta.concrete_fields}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
