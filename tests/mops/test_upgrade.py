"""An SQLite database with figures in it is migrated: guards are lifted while tables are rebuilt, and stand again afterwards."""

import pytest
from django.db import connection

from kpis.models import Source
from roles import tenancy
from tests.mops.conftest import make_load

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite rebuilds tables"),
]
PLAN = [("some migration", False)]


def triggers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return {name for (name,) in cursor.fetchall()}


def rebuild(model) -> None:
    with connection.schema_editor() as editor:
        editor._remake_table(model)


def test_a_table_that_guards_name_is_rebuilt(acme):
    make_load(acme, state="done")
    before = triggers()

    tenancy.lift_guards(plan=PLAN)
    rebuild(Source)
    tenancy.install_guards()

    assert triggers() == before
    assert Source.objects.filter(company=acme.company).count() == 1


def test_guards_stay_where_there_is_nothing_to_migrate(acme):
    before = triggers()
    tenancy.lift_guards(plan=[])
    assert triggers() == before
