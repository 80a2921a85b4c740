"""The README tells the truth: its commands exist, its files are there, its logins are those of the sample company."""

import re

from django.conf import settings
from django.core.management import get_commands

from mops.demo.people import DOMAIN, PASSWORD, SHOWN_LOGINS

MAKE = re.compile(r"(?:^|`)make ([a-z]+)", re.MULTILINE)
README = (settings.BASE_DIR / "README.md").read_text()


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z]+):", (settings.BASE_DIR / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(MAKE, README)) <= targets
    assert {"run", "test"} <= set(re.findall(MAKE, README))


def test_every_management_command_exists():
    named = set(re.findall(r"manage\.py ([a-z_]+)", README))

    assert named
    assert named <= set(get_commands())


def test_every_path_exists():
    named = set(re.findall(r"`([a-z_.]+/[A-Za-z0-9_./-]*|[A-Za-z.-]+\.(?:yml|toml|txt|example))`", README)) - {"var/"}

    assert {path for path in named if not (settings.BASE_DIR / path).exists()} == set()


def test_logins_are_the_samples():
    assert PASSWORD in README
    assert DOMAIN in README
    assert [code for code in SHOWN_LOGINS if f"`{code}@`" not in README] == []


def test_has_a_picture():
    assert "](static/readme/dashboard.png)" in README
