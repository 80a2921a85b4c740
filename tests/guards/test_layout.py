"""The shape of the house: short files and functions, thin doors, every model owned. New code is found by itself."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

from roles import tenancy
from roles.models import CompanyOwned

APPS = ("mops", "roles", "kpis", "processes", "reports")
THIN = ("views", "api", "tasks")


def python_files() -> list[Path]:
    return [
        path
        for app in APPS
        for path in sorted((settings.BASE_DIR / app).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def name(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


def test_no_file_is_long():
    too_long = {
        name(path): lines
        for path in python_files()
        if (lines := len(path.read_text().splitlines())) > (500 if path.name == "models.py" else 400)
    }

    assert too_long == {}


def test_no_function_is_long():
    too_long = {
        f"{name(path)}:{node.name}": node.end_lineno - node.lineno + 1
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 50
    }

    assert too_long == {}


def test_doors_are_thin():
    """Views, API and tasks ask selectors and services; none of them queries a model itself."""
    thick = [
        f"{name(path)}:{node.lineno}"
        for path in python_files()
        if path.stem in THIN or path.parent.name in THIN
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "objects"
    ]

    assert thick == []


def test_tasks_are_short():
    long_tasks = {
        f"{name(path)}:{node.name}"
        for path in python_files()
        if path.stem == "tasks"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.decorator_list and len(node.body) > 10
    }

    assert long_tasks == set()


def test_every_model_is_owned_by_a_company():
    ownerless = {
        model._meta.label for model in tenancy.our_models() if not issubclass(model, CompanyOwned)
    } - tenancy.GLOBAL_MODELS

    assert ownerless == set()


def test_unique_constraints_begin_with_the_company():
    """Two companies never compete for a value."""
    wrong = [
        f"{model._meta.label}.{constraint.name}"
        for model in tenancy.our_models()
        if issubclass(model, CompanyOwned)
        for constraint in model._meta.constraints
        if getattr(constraint, "fields", ()) and constraint.fields[0] != "company"
    ]

    assert wrong == []


@pytest.mark.parametrize("link", tenancy.guarded_links(), ids=lambda link: link.name)
def test_database_has_a_guard_for_every_link(link, db):
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            wanted = {f"{link.name}_insert", f"{link.name}_update"}
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
            wanted = {link.name}

        assert wanted <= {row[0] for row in cursor.fetchall()}


@pytest.mark.parametrize("link", tenancy.unguarded_links(), ids=lambda link: link.name)
def test_database_has_no_guard_where_writing_must_be_quick(link, db):
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [link.table])
        else:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = %s::regclass", [link.table]
            )

        assert cursor.fetchall() == []


@pytest.mark.parametrize("label", tenancy.APPEND_ONLY_MODELS)
def test_append_only_tables_have_their_seal(label, db):
    from django.apps import apps
    from django.db import connection

    table = apps.get_model(label)._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
            wanted = {f"sealed_{table}_update", f"sealed_{table}_delete"}
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table])
            wanted = {"append_only"}

        assert wanted <= {row[0] for row in cursor.fetchall()}


def test_heavy_libraries_are_loaded_only_when_needed():
    """`manage.py check` stays quick: pandas, plotly, openpyxl and numpy-heavy parts are imported inside functions."""
    import subprocess
    import sys

    code = (
        "import django, sys; django.setup(); import mops.urls; from django.core.management import call_command; "
        "print(sorted({'pandas', 'plotly', 'openpyxl', 'pptx'} & set(sys.modules)))"
    )
    env = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=settings.BASE_DIR)

    assert done.stdout.strip() == "[]", done.stderr


def test_migrations_are_complete(db):
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
