"""A table of accesses, pasted or from a file: read, tried as a whole, and written as a whole or not at all."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kpis.importers import tables, values
from kpis.importers.base import FileProblem
from kpis.problems import file_sentence
from roles import contracts, registry, secrets, selectors
from roles.models import Access, Company, Membership
from roles.refusals import FieldError, Refused
from roles.services import accesses as service
from roles.validation import refuse

MOST_ROWS = 500
COLUMNS: dict[str, tuple[object, tuple[str, ...]]] = {
    "system": (gettext_lazy("System"), ("система", "сервис", "system", "service")),
    "identifier": (gettext_lazy("Login"), ("логин", "аккаунт", "кабинет", "идентификатор", "номер", "login", "account", "identifier")),
    "owned_by": (gettext_lazy("Legal owner"), ("владелец", "юридический владелец", "оформлен на", "owner", "legal owner")),
    "administrators": (gettext_lazy("Administrators"), ("администраторы", "администратор", "админы", "administrators", "admins")),
    "channels": (gettext_lazy("Channels"), ("каналы", "канал", "channels", "channel")),
    "contractor": (gettext_lazy("Contractor"), ("подрядчик", "contractor")),
    "contractor_until": (gettext_lazy("Contractor until"), ("подрядчик до", "доступ до", "contractor until")),
    "recovery": (gettext_lazy("Recovery"), ("восстановление", "почта восстановления", "телефон восстановления", "recovery")),
    "paid_by": (gettext_lazy("Who pays"), ("кто платит", "оплата", "платит", "paid by", "who pays")),
    "secret_place": (gettext_lazy("Where the password is kept"), ("где пароль", "пароль хранится", "хранение пароля", "пароль", "secret place", "password kept")),
    "two_factor": (gettext_lazy("Two-factor"), ("двухфакторная", "второй фактор", "2fa", "two factor", "two-factor")),
    "checked_on": (gettext_lazy("Last check"), ("проверен", "последняя проверка", "дата проверки", "checked", "last check")),
    "note": (gettext_lazy("Note"), ("примечание", "комментарий", "note", "comment")),
}  # fmt: skip
"""field → (its name, the headings it is known by)."""
HEADINGS = {heading: name for name, (_label, headings) in COLUMNS.items() for heading in headings}
OWNERS = {
    "компания": Access.OwnedBy.COMPANY, "юрлицо": Access.OwnedBy.COMPANY, "company": Access.OwnedBy.COMPANY,
    "мы": Access.OwnedBy.COMPANY, "": Access.OwnedBy.COMPANY,
    "подрядчик": Access.OwnedBy.CONTRACTOR, "contractor": Access.OwnedBy.CONTRACTOR,
}  # fmt: skip
YES, NO = (
    {"да", "есть", "вкл", "включена", "включен", "yes", "on", "true", "1", "+"},
    {"нет", "выкл", "no", "off", "false", "0", "-", "−", "—"},
)


@dataclass
class Row:
    """A row as it was read; `state`: new, changed, same or wrong, with the reasons."""

    number: int
    cells: dict[str, str]
    state: str = ""
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def title(self) -> str:
        return ": ".join(part for part in (self.cells.get("system"), self.cells.get("identifier")) if part)


@dataclass(frozen=True)
class Trial:
    """What a table would do, or has done when `written`. `text`: the table again, for the next step, without secrets."""

    rows: list[Row]
    text: str
    unknown: list[str]
    written: bool

    def count(self, state: str) -> int:
        return sum(row.state == state for row in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        return {state: self.count(state) for state in ("new", "changed", "same", "wrong")}


def read_table(stream: BinaryIO) -> tuple[list[Row], list[str]]:
    """The rows under the heading and the headings nobody knows; Refused with a sentence for what is no such table."""
    try:
        table = tables.open_table(stream, lambda cells: {"system", "identifier"} <= {_field(cell) for cell in cells})
        names = [_field(cell) for cell in table.header]
        rows = []
        for number, cells in table.rows():
            if len(rows) >= MOST_ROWS:
                raise refuse("file", "too_many", _("At most %(n)s rows at once: split the table.") % {"n": MOST_ROWS})
            named = zip(names, cells, strict=False)
            rows.append(Row(number, {name: cell.strip() for name, cell in named if name}))
    except FileProblem as problem:
        if problem.code == "no_known_columns":
            message = _("The table needs a line of headings with the columns “Система” and “Логин”.")
        else:
            message = file_sentence(problem)
        raise refuse("file", problem.code, message) from problem
    if not rows:
        raise refuse("file", "no_rows", _("There are no rows under the headings."))
    return rows, [cell.strip() for cell, name in zip(table.header, names, strict=True) if not name and cell.strip()]


def load_accesses(*, company: Company, by: Membership, at: datetime, stream: BinaryIO, keep: bool) -> Trial:
    """Try every row with the service that would write it; written only when `keep` and no row is wrong.

    An access that is known by system and login is changed by the cells that are filled in; an empty cell leaves its field.
    """
    rows, unknown = read_table(stream)
    with transaction.atomic():
        book = _Book(company)
        for row in rows:
            _try(book, by, at, row)
        written = keep and not any(row.problems for row in rows)
        if not written:
            transaction.set_rollback(True)
    return Trial(rows, _as_text(rows), unknown, written)


class _Book:
    """The names a table may use, looked up once: people, channels, contractors and the accesses that stand."""

    def __init__(self, company: Company):
        self.company = company
        self.people: dict[str, Membership] = {}
        for person in selectors.people(company=company):
            self.people[person.user.email.casefold()] = self.people[str(person).casefold()] = person
        self.channels = {}
        for channel in selectors.bare_channels(company=company):
            self.channels[channel.code.casefold()] = self.channels[channel.name.casefold()] = channel
        self.contractors = {
            row.name.casefold(): row for row in contracts.contractors(company=company).filter(closed_on=None)
        }
        self.accesses = {
            (row.system.casefold(), row.identifier.casefold()): row for row in registry.accesses(company=company)
        }

    def many(self, name: str, cell: str, known: dict) -> list:
        return [self.one(name, part.strip(), known) for part in cell.replace(";", ",").split(",") if part.strip()]

    def one(self, name: str, cell: str, known: dict):
        found = known.get(cell.casefold())
        if found is None:
            raise refuse(
                name,
                "unknown",
                _("“%(value)s” is not known here: write it as it stands in the system.") % {"value": cell[:60]},
            )
        return found


def _try(book: _Book, by: Membership, at: datetime, row: Row) -> None:
    key = (row.cells.get("system", "").casefold(), row.cells.get("identifier", "").casefold())
    known = book.accesses.get(key)
    try:
        with transaction.atomic():
            fields = _fields(book, row.cells)
            common = {"company": book.company, "by": by, "at": at}
            if known is None:
                today = book.company.local_date(at)
                book.accesses[key] = service.create_access(
                    **common, today=today, **{"owned_by": Access.OwnedBy.COMPANY, **fields}
                )
                row.state = "new"
            else:
                fields.pop("checked_on", None)
                changed = service.update_access(**common, access=known, **fields)
                row.state = "changed" if changed.changed_at == at else "same"
    except Refused as refusal:
        row.state = "wrong"
        row.problems = [(_label(error.field), error.message) for error in refusal.errors] or [("", refusal.message)]


TEXTS = ("system", "identifier", "recovery", "paid_by", "secret_place", "note")
READ: dict[str, Callable[["_Book", str], object]] = {
    "administrators": lambda book, cell: book.many("administrators", cell, book.people),
    "channels": lambda book, cell: book.many("channels", cell, book.channels),
    "contractor": lambda book, cell: book.one("contractor", cell, book.contractors),
    "contractor_until": lambda book, cell: _day("contractor_until", cell),
    "checked_on": lambda book, cell: _day("checked_on", cell),
    "two_factor": lambda book, cell: _yes_or_no(cell),
}
"""Columns that are no plain texts: how their cell is read."""


def _fields(book: _Book, cells: dict[str, str]) -> dict:
    """The filled cells as the service takes them; Refused with every column that is wrong, so that one look is enough."""
    given = {name: cell for name, cell in cells.items() if cell}
    fields: dict = {name: given[name] for name in TEXTS if name in given}
    wrong = [
        FieldError(name, "required", _("Fill it in: a row needs it."))
        for name in ("system", "identifier") if name not in given
    ]  # fmt: skip
    try:
        texts = Access(**fields)
        service.refuse_secrets(texts, [name for name in service.PROSE if name in fields], TEXTS[:3])
    except Refused as refusal:
        wrong += refusal.errors
    for name, read in READ.items():
        if name in given:
            try:
                fields[name] = read(book, given[name])
            except Refused as refusal:
                wrong += refusal.errors
    if wrong:
        raise Refused(wrong[0].message, wrong)
    return fields | (_owner(book, given["owned_by"]) if "owned_by" in given else {})


def _owner(book: _Book, cell: str) -> dict:
    """«компания», «подрядчик», a person of ours, or the name of somebody else: then a person's account."""
    if (kind := OWNERS.get(cell.casefold())) is not None:
        return {"owned_by": kind, "owner_name": ""}
    person = book.people.get(cell.casefold())
    return {"owned_by": Access.OwnedBy.PERSON, "owner_person": person, "owner_name": "" if person else cell}


def _day(name: str, cell: str) -> date:
    try:
        return values.day(cell)
    except values.CellError as problem:
        raise refuse(
            name, "bad_date", _("“%(value)s” is not a date. Write 2026-11-20 or 20.11.2026.") % {"value": cell[:60]}
        ) from problem


def _yes_or_no(cell: str) -> bool:
    word = cell.casefold()
    if word not in YES | NO:
        raise refuse("two_factor", "yes_or_no", _("“%(value)s”: write yes or no.") % {"value": cell[:60]})
    return word in YES


def _field(heading: str) -> str:
    return HEADINGS.get(tables.normalise(heading), "")


def _label(name: str) -> str:
    return str(COLUMNS[name][0]) if name in COLUMNS else ""


def _as_text(rows: Iterable[Row]) -> str:
    """The table once more for the page's text field; what looks like a password is left out of it."""
    rows = list(rows)
    names = [name for name in COLUMNS if any(name in row.cells for row in rows)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow([COLUMNS[name][1][0].capitalize() for name in names])
    for row in rows:
        cells = (row.cells.get(name, "") for name in names)
        writer.writerow(["" if _is_secret(name, cell) else cell for name, cell in zip(names, cells, strict=True)])
    return buffer.getvalue()


def _is_secret(name: str, cell: str) -> bool:
    return secrets.looks_like_secret(cell) if name in service.PROSE else secrets.has_marked_secret(cell)
