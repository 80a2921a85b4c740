"""Docker does not run here: the files that production starts from are read and checked for what must not go missing."""

import os
import re
import stat
import subprocess

import pytest
import yaml
from django.conf import settings

ROOT = settings.BASE_DIR
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
EXAMPLE = dict(
    line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if re.match(r"[A-Z_]+=", line)
)
OURS = ("migrate", "web", "worker", "beat")


def test_services():
    assert set(SERVICES) == {*OURS, "postgres", "redis"}


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_ours_wait_for_healthy_services_and_the_migration(name):
    waits = {service: row["condition"] for service, row in SERVICES[name]["depends_on"].items()}

    assert waits == {
        "migrate": "service_completed_successfully", "postgres": "service_healthy", "redis": "service_healthy",
    }  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_ours_run_in_production_on_postgresql_and_redis(name):
    environment = SERVICES[name]["environment"]

    assert environment["MOPS_ENV"] == "production"
    assert environment["DATABASE_URL"].startswith("postgres://")
    assert environment["REDIS_URL"].startswith("redis://")
    assert SERVICES[name]["env_file"] == ".env"


@pytest.mark.parametrize("name", ["postgres", "redis", "worker", "beat"])
def test_health_is_checked(name):
    assert SERVICES[name]["healthcheck"]["test"]


def test_web_is_checked_by_its_image():
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()


def test_uploads_are_shared_by_web_and_workers_and_data_outlives_containers():
    for name in ("web", "worker"):
        assert "uploads:/var/lib/mops/uploads" in SERVICES[name]["volumes"]
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])


def test_broker_forgets_nothing():
    assert "--appendonly yes" in SERVICES["redis"]["command"]
    assert "--maxmemory-policy noeviction" in SERVICES["redis"]["command"]


def test_scale_is_not_hindered_by_names_or_ports():
    assert "container_name" not in SERVICES["worker"]
    assert "ports" not in SERVICES["worker"]
    assert SERVICES["web"]["ports"] == ["127.0.0.1:${WEB_PORT:-8000}:8000"]
    assert "ports" not in SERVICES["postgres"]
    assert "ports" not in SERVICES["redis"]


def test_running_task_may_finish():
    minutes = int(SERVICES["worker"]["stop_grace_period"].removesuffix("m"))

    assert minutes * 60 >= settings.CELERY_TASK_TIME_LIMIT


def test_every_variable_is_in_the_example():
    compose = re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text())
    code = re.findall(
        r'(?:environ\.get|env_bool|env_list|environ)[(\[]\s*"([A-Z_]+)"', (ROOT / "mops/settings.py").read_text()
    )
    inside = {
        "MOPS_ENV",
        "MOPS_VAR",
        "DATABASE_URL",
        "REDIS_URL",
        "PORT",
        "DEBUG",
        "EMAIL_BACKEND",
        "SECURE_SSL_REDIRECT",
        "OUTGOING_TEST_HOSTS",
    }

    assert {*compose, *code} - set(EXAMPLE) - inside == set()
    assert set(EXAMPLE) - {*compose, *code} == set()


def test_example_holds_no_secret():
    assert {name for name, value in EXAMPLE.items() if re.search("KEY|PASSWORD", name) and value} == set()


def test_image_is_locked_built_in_stages_and_without_rights():
    text = (ROOT / "Dockerfile").read_text()

    assert text.count("FROM python:3.11-slim") == 2
    assert "--require-hashes" in text
    assert text.index("USER mops") < text.index('CMD ["gunicorn"')
    for step in ("compile_translations", "collectstatic", "--no-control-socket"):
        assert step in text


def test_settings_load_in_production_and_refuse_without_a_key():
    env = {
        "PATH": os.environ["PATH"],
        "MOPS_ENV": "production",
        "MOPS_VAR": os.environ["MOPS_VAR"],
        "ALLOWED_HOSTS": "a.example",
    }
    command = [os.sys.executable, "-c", "import mops.settings"]

    assert subprocess.run(command, env=env | {"SECRET_KEY": "k" * 50}, cwd=ROOT).returncode == 0
    refused = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
    assert "Set SECRET_KEY" in refused.stderr


def test_ci_is_a_strict_script_that_runs_what_the_readme_says():
    path = ROOT / ".ci/run"
    text = path.read_text()

    assert path.stat().st_mode & stat.S_IXUSR
    assert "set -euo pipefail" in text
    for command in ("make test", "make lint"):
        assert command in text
    assert subprocess.run(["bash", "-n", str(path)]).returncode == 0


@pytest.mark.parametrize(
    ("service", "variable", "scheme"),
    [("PostgreSQL", "DATABASE_URL", "postgres://"), ("Redis", "REDIS_URL", "redis://")],
)
def test_ci_says_which_service_is_missing(service, variable, scheme):
    """The check of services alone, with an address where nothing listens."""
    check = re.search(r"<<'PYTHON'\n(.*?)\nPYTHON", (ROOT / ".ci/run").read_text(), re.DOTALL)[1]
    check = check.replace("psycopg2.connect(url, connect_timeout=5).close()", "None") if service == "Redis" else check
    urls = ["postgres://postgres:secret@127.0.0.1:1/none", "redis://127.0.0.1:1/0"]

    done = subprocess.run([os.sys.executable, "-c", check, *urls], capture_output=True, text=True)

    assert done.returncode == 1
    assert done.stderr.startswith(f"{service} cannot be reached at {scheme}127.0.0.1:1")
    assert variable in done.stderr
    assert "secret" not in done.stderr
