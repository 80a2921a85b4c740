"""Strictly apart: the company's scope for work outside a request, and the guards that the database itself keeps.

The guards are triggers, made anew after every `migrate`, because they have to be lifted where Django rebuilds a table:

- a foreign key of a company's row may only point at a row of the same company, and a row never changes its company;
- append-only tables refuse UPDATE and DELETE (a DELETE passes only while the company is marked `erasing`);
- a sealed row refuses both too, but for the one change of its state that its seal names.

Daily facts and the evaluation log carry no such guard: it would make writing them several times slower. The parents of
facts are checked in the staging table of each load, the log is written by the evaluation alone, which reads by company;
`check_tenancy` watches both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.apps import apps
from django.db import connections
from django_scopes import scope, scopes_disabled

GLOBAL_MODELS = {"roles.Company", "roles.User"}
"""Models without a company, each named on purpose. Django's own tables are not ours to list."""

OUR_APPS = ("roles", "kpis", "processes", "reports", "mops")
UNGUARDED_MODELS = {
    "kpis.DailyFact",
    "kpis.FactRevision",
    "kpis.UndoneFact",
    "kpis.EvaluationLog",
    "kpis.EvaluationLogRevision",
}
PARENTS = {
    "channel_id": "roles_channel", "campaign_id": "roles_campaign", "source_id": "kpis_source",
    "version_id": "kpis_stopruleversion",
}  # fmt: skip
"""Columns of unguarded tables, which need not be foreign keys, and what they point at."""
APPEND_ONLY_MODELS = ("roles.AuditEvent", "processes.Signature", "kpis.Verdict")


@dataclass(frozen=True)
class Seal:
    """A row whose `column` is not empty is closed for ever, except that `state` may go from `before` to `after` alone; where
    both are the same nothing may change at all."""

    model: str
    column: str
    state: str
    before: str
    after: str


SEALS = (
    Seal("processes.Decision", "seal", "state", "signed", "superseded"),
    Seal("processes.Review", "verdict", "state", "done", "done"),
    Seal("reports.Meeting", "seal", "state", "ended", "ended"),
    Seal("roles.CheckRound", "outcome", "outcome", "closed", "closed"),
)


@contextmanager
def company_scope(company_id: int) -> Iterator:
    """Enter one company's scope outside a request (tasks, commands); yields the Company. DoesNotExist if it is gone."""
    from roles.models import Company

    company = Company.objects.get(pk=company_id)
    with scope(company=company):
        yield company


@dataclass(frozen=True)
class Link:
    """A foreign key between two tables of companies' rows."""

    table: str
    column: str
    target: str

    @property
    def name(self) -> str:
        return f"same_company_{self.table}_{self.column}"[:63]


def our_models() -> list[type]:
    return [model for label in OUR_APPS for model in apps.get_app_config(label).get_models()]


def guarded_links() -> list[Link]:
    """Every foreign key from a company's table to another company's table that a trigger must watch."""
    from roles.models import CompanyOwned

    return [
        Link(model._meta.db_table, field.column, field.related_model._meta.db_table)
        for model in our_models()
        if issubclass(model, CompanyOwned) and model._meta.label not in UNGUARDED_MODELS
        for field in model._meta.concrete_fields
        if field.many_to_one and issubclass(field.related_model, CompanyOwned)
    ]


def unguarded_links() -> list[Link]:
    """What nobody guards and `check_tenancy` watches."""
    return [
        Link(model._meta.db_table, column, target)
        for model in our_models()
        if model._meta.label in UNGUARDED_MODELS
        for column, target in PARENTS.items()
        if column in {field.column for field in model._meta.concrete_fields}
    ]


def append_only_tables() -> list[str]:
    return [apps.get_model(label)._meta.db_table for label in APPEND_ONLY_MODELS]


def sealed_tables(tables: set[str]) -> list[tuple[str, Seal, list[str]]]:
    """(table, its seal, the columns that a change of the state must leave alone) of those that exist."""
    found = []
    for seal in SEALS:
        meta = apps.get_model(seal.model)._meta
        if meta.db_table in tables:
            found.append((meta.db_table, seal, [f.column for f in meta.concrete_fields if f.name != seal.state]))
    return found


def lift_guards(sender=None, using: str = "default", plan=(), **kwargs) -> None:
    """Take every trigger off an SQLite database before migrations rebuild its tables: SQLite refuses to rename a table
    that a trigger of another one names. `install_guards` makes them anew after the last migration."""
    connection = connections[using]
    if not plan or connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}"')


def install_guards(sender=None, using: str = "default", **kwargs) -> None:
    """Make every trigger anew; called once after every `migrate`, works with what tables exist by then."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    make = _sqlite_guards if connection.vendor == "sqlite" else _postgresql_guards
    links = [link for link in guarded_links() if {link.table, link.target} <= tables]
    owned = sorted({link.table for link in links})
    sealed = [table for table in append_only_tables() if table in tables]
    with connection.cursor() as cursor:
        lifted = _lifted_guards(connection.vendor, [link for link in unguarded_links() if link.table in tables])
        for statement in (
            *lifted,
            *make(links, owned, sealed),
            *_seal_guards(connection.vendor, sealed_tables(tables)),
        ):
            cursor.execute(statement)


def _lifted_guards(vendor: str, links: list[Link]) -> Iterator[str]:
    """Take off what stands on tables that are guarded no more."""
    for link in links:
        if vendor == "sqlite":
            yield from (f'DROP TRIGGER IF EXISTS "{link.name}_{event}"' for event in ("insert", "update"))
            yield f'DROP TRIGGER IF EXISTS "keeps_company_{link.table}"'
        else:
            yield f'DROP TRIGGER IF EXISTS "{link.name}" ON "{link.table}"'
            yield f'DROP FUNCTION IF EXISTS "{link.name}"()'
            yield f'DROP TRIGGER IF EXISTS "keeps_company" ON "{link.table}"'


def _sqlite_guards(links: list[Link], owned: list[str], sealed: list[str]) -> Iterator[str]:
    for link in links:
        for event, when in (("insert", "INSERT"), ("update", f'UPDATE OF "{link.column}"')):
            yield f'DROP TRIGGER IF EXISTS "{link.name}_{event}"'
            yield (
                f'CREATE TRIGGER "{link.name}_{event}" BEFORE {when} ON "{link.table}" WHEN NEW."{link.column}" IS NOT NULL '
                f'AND NOT EXISTS (SELECT 1 FROM "{link.target}" t WHERE t.id = NEW."{link.column}" '
                f"AND t.company_id = NEW.company_id) BEGIN SELECT RAISE(ABORT, 'row of another company: {link.table}.{link.column}'); END"
            )
    for table in owned:
        yield f'DROP TRIGGER IF EXISTS "keeps_company_{table}"'
        yield (
            f'CREATE TRIGGER "keeps_company_{table}" BEFORE UPDATE OF company_id ON "{table}" '
            f"WHEN NEW.company_id <> OLD.company_id BEGIN SELECT RAISE(ABORT, 'a row never changes its company: {table}'); END"
        )
    for table in sealed:
        for event in ("UPDATE", "DELETE"):
            condition = (
                "" if event == "UPDATE" else "WHEN NOT (SELECT erasing FROM roles_company WHERE id = OLD.company_id) "
            )
            yield f'DROP TRIGGER IF EXISTS "sealed_{table}_{event.lower()}"'
            yield (
                f'CREATE TRIGGER "sealed_{table}_{event.lower()}" BEFORE {event} ON "{table}" {condition}'
                f"BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END"
            )


def _postgresql_guards(links: list[Link], owned: list[str], sealed: list[str]) -> Iterator[str]:
    for link in links:
        yield (
            f'CREATE OR REPLACE FUNCTION "{link.name}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN '
            f'IF NEW."{link.column}" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "{link.target}" t WHERE t.id = NEW."{link.column}" '
            f"AND t.company_id = NEW.company_id) THEN RAISE EXCEPTION 'row of another company: {link.table}.{link.column}' "
            f"USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
        )
        yield (
            f'CREATE OR REPLACE TRIGGER "{link.name}" BEFORE INSERT OR UPDATE OF "{link.column}" ON "{link.table}" '
            f'FOR EACH ROW EXECUTE FUNCTION "{link.name}"()'
        )
    yield (
        "CREATE OR REPLACE FUNCTION keeps_company() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'a row never changes its company: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table in owned:
        yield (
            f'CREATE OR REPLACE TRIGGER "keeps_company" BEFORE UPDATE OF company_id ON "{table}" FOR EACH ROW '
            "WHEN (NEW.company_id <> OLD.company_id) EXECUTE FUNCTION keeps_company()"
        )
    yield (
        "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'DELETE' AND (SELECT erasing FROM roles_company WHERE id = OLD.company_id) THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION 'append-only: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table in sealed:
        yield (
            f'CREATE OR REPLACE TRIGGER "append_only" BEFORE UPDATE OR DELETE ON "{table}" '
            "FOR EACH ROW EXECUTE FUNCTION append_only()"
        )


def _seal_guards(vendor: str, sealed: list[tuple[str, Seal, list[str]]]) -> Iterator[str]:
    for table, seal, columns in sealed:
        if vendor == "sqlite":
            yield from _sqlite_seal(table, seal, columns)
        else:
            yield from _postgresql_seal(table, seal)


def _sqlite_seal(table: str, seal: Seal, columns: list[str]) -> Iterator[str]:
    same = " AND ".join(f'NEW."{column}" IS OLD."{column}"' for column in columns)
    moves = f"OLD.{seal.state} = '{seal.before}' AND NEW.{seal.state} = '{seal.after}' AND {same}"
    erasing = "(SELECT erasing FROM roles_company WHERE id = OLD.company_id)"
    for event, passes in (("UPDATE", moves), ("DELETE", erasing)):
        yield f'DROP TRIGGER IF EXISTS "seal_{table}_{event.lower()}"'
        yield (
            f'CREATE TRIGGER "seal_{table}_{event.lower()}" BEFORE {event} ON "{table}" '
            f"WHEN OLD.{seal.column} <> '' AND NOT ({passes}) BEGIN SELECT RAISE(ABORT, 'sealed: {table}'); END"
        )


def _postgresql_seal(table: str, seal: Seal) -> Iterator[str]:
    yield (
        f'CREATE OR REPLACE FUNCTION "seal_{table}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN '
        "IF TG_OP = 'DELETE' THEN IF (SELECT erasing FROM roles_company WHERE id = OLD.company_id) THEN RETURN OLD; END IF; "
        f"ELSIF OLD.{seal.state} = '{seal.before}' AND NEW.{seal.state} = '{seal.after}' "
        f"AND to_jsonb(NEW) - '{seal.state}' = to_jsonb(OLD) - '{seal.state}' THEN RETURN NEW; END IF; "
        "RAISE EXCEPTION 'sealed: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    yield (
        f'CREATE OR REPLACE TRIGGER "sealed" BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW '
        f"WHEN (OLD.{seal.column} <> '') EXECUTE FUNCTION \"seal_{table}\"()"
    )


def crossing_rows() -> dict[str, int]:
    """How many rows point at another company's row, per `table.column`; only offenders are listed. Unguarded tables are looked at too."""
    found = {}
    with scopes_disabled(), connections["default"].cursor() as cursor:
        for link in (*guarded_links(), *unguarded_links()):
            cursor.execute(
                f'SELECT count(*) FROM "{link.table}" r JOIN "{link.target}" t ON t.id = r."{link.column}" '
                "WHERE t.company_id <> r.company_id"
            )
            if count := cursor.fetchone()[0]:
                found[f"{link.table}.{link.column}"] = count
    return found
