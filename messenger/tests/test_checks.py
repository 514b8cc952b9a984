"""What Quarter refuses to start with."""

import dataclasses
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from messenger import checks
from messenger.celery import refuse_bad_settings

GOOD = {
    "PRODUCTION": True,
    "DEBUG": False,
    "SECRET_KEY": secrets.token_urlsafe(64),
    "ALLOWED_HOSTS": ["quarter.example"],
    "ALLOWED_ORIGINS": frozenset({"https://quarter.example"}),
    "DATABASE_GIVEN": True,
    "REDIS_GIVEN": True,
    "PROXY_COUNT": 1,
}


@pytest.fixture
def production(settings: Any) -> Any:
    for name, value in GOOD.items():
        setattr(settings, name, value)
    return settings


def ids() -> list[str | None]:
    return [error.id for error in checks.settings_errors(None)]


def test_good_settings_are_taken(production: Any) -> None:
    assert ids() == []
    assert checks.deploy_warnings(None) == []
    checks.exit_on_errors()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("SECRET_KEY", "", "quarter.E001"),
        ("SECRET_KEY", "x" * 60, "quarter.E001"),
        ("SECRET_KEY", "short-but-random-d8s7f", "quarter.E001"),
        ("DEBUG", True, "quarter.E002"),
        ("ALLOWED_HOSTS", [], "quarter.E003"),
        ("ALLOWED_HOSTS", ["*"], "quarter.E003"),
        ("ALLOWED_HOSTS", [".quarter.example"], "quarter.E003"),
        ("ALLOWED_ORIGINS", frozenset(), "quarter.E004"),
        ("ALLOWED_ORIGINS", frozenset({"http://quarter.example"}), "quarter.E004"),
        ("ALLOWED_ORIGINS", frozenset({"https://quarter.example/"}), "quarter.E005"),
        ("DATABASE_GIVEN", False, "quarter.E006"),
        ("REDIS_GIVEN", False, "quarter.E007"),
        ("TTL_SECONDS", 30, "quarter.E008"),
        ("TTL_MAX_SECONDS", 800, "quarter.E008"),
        ("IDENTITY_IDLE_SECONDS", 3600, "quarter.E008"),
        *[
            ("ADMIN_PATH", path, "quarter.E010")
            for path in ("", "/", "admin", "/admin/", "a/b/", "a b/", "a;b/", "../", "ådmin/", "admin/\n")
        ],
        *[
            ("ADMIN_PATH", f"{own}/", "quarter.E010")
            for own in ("api", "ws", "static", "healthz", "readyz", ".well-known")
        ],
        *[
            ("SECURITY_CONTACT", contact, "quarter.E011")
            for contact in ("me@quarter.example", "http://quarter.example", "mailto:me", "https://a\nb", "-")
        ],
    ],
)
def test_a_bad_setting_stops_web_server_and_worker(
    production: Any, name: str, value: Any, error: str
) -> None:
    setattr(production, name, value)
    assert ids() == [error]
    with pytest.raises(SystemExit, match=error):
        checks.exit_on_errors()
    with pytest.raises(SystemExit, match=error):
        refuse_bad_settings()


@pytest.mark.parametrize("path", ["admin/", "apia/", "my-desk_1/", "Static-/"])
def test_the_admin_may_be_at_any_plain_path(production: Any, path: str) -> None:
    production.ADMIN_PATH = path
    assert ids() == []


@pytest.mark.parametrize("contact", ["mailto:security@quarter.example", "https://quarter.example/security"])
def test_a_contact_is_an_address_that_can_be_opened(production: Any, contact: str) -> None:
    production.SECURITY_CONTACT = contact
    assert ids() == []


def test_limits_that_contradict_each_other_are_refused(production: Any) -> None:
    production.LIMITS = dataclasses.replace(production.LIMITS, text_bytes=10**6)
    assert ids() == ["quarter.E009"]


def test_no_proxy_in_production_is_worth_a_warning(production: Any) -> None:
    production.PROXY_COUNT = 0
    assert [warning.id for warning in checks.deploy_warnings(None)] == ["quarter.W001"]


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("https://quarter.example", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("https://quarter.example:443", False),
        ("http://quarter.example:80", False),
        ("https://Quarter.example", False),
        ("https://quarter.example/", False),
        ("https://*.quarter.example", False),
        ("quarter.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(text: str, valid: bool) -> None:
    assert checks.is_origin(text) is valid


def environment(**changed: str) -> dict[str, str]:
    """That of a production server, as a shell would have it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUARTER_")}
    return {
        **kept,
        "QUARTER_ENV": "production",
        "QUARTER_SECRET_KEY": str(GOOD["SECRET_KEY"]),
        "QUARTER_HOSTS": "quarter.example",
        "QUARTER_ORIGINS": "https://quarter.example",
        "QUARTER_PROXY_COUNT": "1",
        "DATABASE_URL": "postgres://quarter:pw@postgres/quarter",
        "REDIS_URL": "redis://valkey:6379/0",
        **changed,
    }


def start(*command: str, **changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=django_settings.BASE_DIR,
        env=environment(**changed),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_deployment_check_has_nothing_to_say_about_good_settings() -> None:
    done = start("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_the_one_machine_needs_no_redis_of_its_own_in_production(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        page = tmp_path / "index.html"
        page.touch()
        port = str(taken.getsockname()[1])
        where = {"QUARTER_DATA_DIR": str(tmp_path), "QUARTER_PAGE_DIR": str(tmp_path), "REDIS_URL": ""}
        done = start("manage.py", "run", "--port", port, **where)
    assert done.returncode == os.EX_UNAVAILABLE, done.stderr
    assert f"Port {port} is taken" in done.stderr


@pytest.mark.parametrize("runs", [True, False])
def test_the_other_commands_find_the_redis_of_the_one_machine(tmp_path: Path, runs: bool) -> None:
    if runs:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "valkey.sock").touch()
    done = start("manage.py", "check", QUARTER_DATA_DIR=str(tmp_path), REDIS_URL="")
    assert ("quarter.E007" in done.stderr) is not runs
    assert done.returncode == (0 if runs else 1), done.stderr


@pytest.mark.parametrize("server", [["daphne", "-p", "0"], ["uvicorn", "--port", "0"]])
def test_a_real_server_does_not_start_with_bad_settings(server: list[str]) -> None:
    done = start("-m", *server, "messenger.asgi:application", QUARTER_HOSTS="*")
    assert done.returncode == 1
    assert "quarter.E003" in done.stderr


@pytest.mark.parametrize("part", ["worker --pool solo", "beat --schedule {0}/beat --pidfile {0}/pid"])
def test_a_real_worker_does_not_start_with_bad_settings(part: str, tmp_path: Path) -> None:
    # Beat deletes a schedule that it can't read: the file must be the test's own.
    words = part.format(tmp_path).split()
    done = start("-m", "celery", "--app", "messenger", *words, QUARTER_DEBUG="true")
    assert done.returncode == 1
    assert "quarter.E002" in done.stderr
