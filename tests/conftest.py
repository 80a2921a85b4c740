"""Two companies and their people by name. `rival` has absurd figures (999 999): a leak shows as a wrong total."""

import re
from datetime import date
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.test import Client
from django_scopes import scopes_disabled

from roles.models import Appointment, Channel, Company, Membership, Role, RoleVersion, User
from roles.permissions import RoleKind

PASSWORD = "correct-horse-9"
HIRED = date(2025, 1, 1)
KINDS = {
    "owner": RoleKind.OWNER,
    "cmo": RoleKind.CMO,
    "pm": RoleKind.PM,
    "analyst": RoleKind.ANALYST,
    "performance": RoleKind.CHANNEL_OWNER,
    "content": RoleKind.CHANNEL_OWNER,
    "contractor": RoleKind.CONTRACTOR,
}
REACH_THE_DATABASE = {"db", "transactional_db", "django_db_setup"}
CHANNELS = {"vk": ("VK Реклама", "paid", "performance"), "blog": ("Блог", "organic", "content")}


def pytest_configure(config):
    from mops import translations

    translations.compile_all()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Whatever reaches the database is marked `database`. Races need one that lets two writers in at once: they belong to
    the run on PostgreSQL."""
    from django.db import connection

    for item in items:
        if item.get_closest_marker("django_db") or REACH_THE_DATABASE & set(item.fixturenames):
            item.add_marker("database")
    if connection.vendor == "postgresql":
        return
    races = [item for item in items if item.get_closest_marker("postgresql")]
    if races:
        config.hook.pytest_deselected(items=races)
        items[:] = [item for item in items if item not in races]


@pytest.fixture(autouse=True)
def _scopes_off():
    """Fixtures and module tests see both companies; requests and tasks enter their own scope."""
    with scopes_disabled():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        call_command("createcachetable", verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def _flush_passes_the_seal():
    """Tests with real transactions are cleaned by a flush; on SQLite that is a DELETE, which sealed tables refuse."""
    from django.db.backends.sqlite3.base import DatabaseOperations  # its own module imports this one back

    flush = DatabaseOperations.execute_sql_flush

    def erase(operations, sql_list):
        flush(operations, ["UPDATE roles_company SET erasing = 1", *sql_list])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", erase)
        yield


def shown(html: str) -> str:
    """What a page shows, without its markup: addresses, keys and nonces may hold any digits."""
    return re.sub(r"<[^>]*>", " ", html)


def make_company(slug: str, **fields) -> SimpleNamespace:
    """A company with a person per hat (`.owner`, `.cmo`, …) and two running channels (`.vk`, `.blog`)."""
    company = Company.objects.create(slug=slug, name=slug.capitalize(), **fields)
    made = SimpleNamespace(company=company, roles={})
    for code, kind in KINDS.items():
        user = User.objects.create_user(
            f"{code}@{slug}.example", PASSWORD, name=f"{code.capitalize()} {slug.capitalize()}"
        )
        person = Membership.objects.create(company=company, user=user, joined_on=HIRED)
        role = Role.objects.create(company=company, code=code, kind=kind, is_builtin=True)
        RoleVersion.objects.create(
            company=company, role=role, name_ru=f"Роль {code}", name_en=f"Role {code}", valid_from=HIRED, reason="start",
            created_at="2025-01-01T00:00:00Z",
        )  # fmt: skip
        made.roles[code] = role
        setattr(made, code, person)
        if kind is not RoleKind.CHANNEL_OWNER:
            Appointment.objects.create(company=company, role=role, person=person, starts_on=HIRED)
    for code, (name, kind, owner) in CHANNELS.items():
        person = getattr(made, owner)
        channel = Channel.objects.create(
            company=company, code=code, name=name, kind=kind, status="active", owner=person, coordinator=made.pm,
            result_kpi="cpa",
        )  # fmt: skip
        Appointment.objects.create(
            company=company, role=made.roles[owner], person=person, channel=channel, starts_on=HIRED
        )
        setattr(made, code, channel)
    return made


@pytest.fixture
def acme(db):
    return make_company("acme")


@pytest.fixture
def rival(db):
    return make_company("rival")


@pytest.fixture
def sign_in():
    """A browser of a person: `sign_in(acme.cmo).get(...)`."""

    def browser(person: Membership) -> Client:
        client = Client()
        client.force_login(person.user)
        return client

    return browser
