"""Expected refusals. Services raise them; a view turns them into a message beside the form, the API into problem+json.

Each service module subclasses these beside the function that raises: `class ReportLocked(Conflict)`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: a stable English `code`, a message in the reader's language, the row where there are rows."""

    field: str
    code: str
    message: str
    index: int | None = None


class Refused(Exception):
    """The request makes sense but cannot be done as it is: 400. `message` says what to do, in the reader's language."""

    status = 400
    code = "invalid"

    def __init__(self, message: str, errors: list[FieldError] = (), **extra):
        super().__init__(message)
        self.message = str(message)
        self.errors = list(errors)
        self.extra = extra
        """Further members of the problem document, such as `signed_by`."""

    def __str__(self):
        return self.message


class Forbidden(Refused):
    """This person may not; the message says who may: 403."""

    status = 403
    code = "forbidden"


class Conflict(Refused):
    """The object's state does not allow it (any more): 409."""

    status = 409
    code = "conflict"


class Stale(Refused):
    """Somebody changed the object meanwhile: 412."""

    status = 412
    code = "stale"
