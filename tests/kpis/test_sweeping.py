"""Uploads that nobody needs any more go; what a load still needs stays."""

import os
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils.crypto import salted_hmac

from kpis.models import Deal, Source, upload_folder
from kpis.reading import hasher
from kpis.services.sources import ensure_source
from kpis.services.sweeping import sweep_uploads
from mops import pipeline

from .test_deals import FILE, crm, receive
from .test_imports import NOW


@pytest.fixture(autouse=True)
def _folders_of_their_own(settings, tmp_path):
    """Tests before this one have left files of companies with the same ids."""
    default = settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"default": default}


def stray(company, name: str, hours: float) -> str:
    """A file in the company's folder that was written so many hours before NOW."""
    path = default_storage.save(f"{upload_folder(company.pk)}{name}", ContentFile(b"x"))
    then = (NOW - timedelta(hours=hours)).timestamp()
    os.utime(default_storage.path(path), (then, then))
    return path


def test_a_file_without_a_load_goes_after_a_day(acme, rival):
    load = receive(acme, FILE)
    os.utime(default_storage.path(load.file.name), (0, 0))
    old, young = stray(acme.company, "old.upload", 25), stray(acme.company, "young.upload", 23)
    foreign = stray(rival.company, "old.upload", 25)

    assert sweep_uploads(company=acme.company, at=NOW) == 1

    left = [default_storage.exists(name) for name in (load.file.name, old, young, foreign)]
    assert left == [True, False, True, True]


def test_the_day_of_the_pipeline_sweeps_once(acme):
    old = stray(acme.company, "old.upload", 48)
    pipeline.begin_day(acme.company, NOW)
    pipeline.Progress.objects.get_or_create(company=acme.company)
    assert not default_storage.exists(old)

    pipeline.begin_day(acme.company, NOW)
    again = stray(acme.company, "again.upload", 48)
    pipeline.begin_day(acme.company, NOW + timedelta(minutes=5))

    assert default_storage.exists(again)


def test_a_new_secret_key_makes_no_new_customers(acme, settings):
    source = crm(acme)
    before = hasher(source)("501")
    settings.SECRET_KEY = "another" * 10

    assert hasher(Source.objects.get(pk=source.pk))("501") == before
    assert hasher(crm(acme, "bitrix"))("501") != before


def test_sources_with_deals_keep_what_told_their_customers_before(acme, settings):
    old, fresh = crm(acme), ensure_source(company=acme.company, code="new", name="New", kind="file")
    load = receive(acme, FILE)
    Deal.objects.create(
        company=acme.company, source=old, external_id="1", load=load, kind="new", day=NOW.date(), created_on=NOW.date(),
        stage="Новая", line=2,
    )  # fmt: skip
    unused = fresh.hash_key

    migration = import_module("kpis.migrations.0014_source_hash_key")
    migration.keep_the_key(apps, SimpleNamespace(connection=connection))

    for source in (old, fresh):
        source.refresh_from_db()
    told = salted_hmac(f"kpis.deals.{old.company_id}.{old.pk}", "501", algorithm="sha256").hexdigest()[:32]
    assert hasher(old)("501") == told
    assert fresh.hash_key != unused
    assert len(bytes.fromhex(fresh.hash_key)) == 32
