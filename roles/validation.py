"""Turns Django's field errors into refusals that a form and the API can both show."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from roles.refusals import FieldError, Refused


def refuse(field: str, code: str, message: str) -> Refused:
    """A refusal about one field, ready to raise."""
    return Refused(message, [FieldError(field, code, str(message))])


def check_fields(obj: models.Model, *, exclude: tuple[str, ...] = ()) -> None:
    """Refused, with every wrong field named, when a value does not fit its column (length, choice, number)."""
    skipped = {field.name for field in obj._meta.fields if field.is_relation} | set(exclude)
    try:
        obj.clean_fields(exclude=skipped)
    except ValidationError as error:
        errors = [
            FieldError(name, problem.code or "invalid", " ".join(problem.messages))
            for name, problems in error.error_dict.items()
            for problem in problems
        ]
        raise Refused(_("Some fields are not right: see errors."), errors) from error


def as_json(value):
    """A field's value as JSON keeps it: rows by their name at that moment, decimals and dates as text."""
    return value if value is None or isinstance(value, str | int | bool | list | dict) else str(value)


def changes(before: dict, after: dict) -> tuple[dict, dict]:
    """Only what differs, on both sides, as JSON: what an audit event keeps."""
    differing = [name for name in after if before.get(name) != after[name]]
    return {name: as_json(before.get(name)) for name in differing}, {name: as_json(after[name]) for name in differing}
