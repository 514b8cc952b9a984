"""Which paths there are."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import Resolver404, clear_url_caches, resolve

from messenger import urls
from messenger.tests.wire import call


@pytest.fixture
def without_admin(settings: Any) -> Iterator[None]:
    settings.ADMIN_ENABLED = False
    importlib.reload(urls)
    clear_url_caches()
    yield
    settings.ADMIN_ENABLED = True
    importlib.reload(urls)
    clear_url_caches()


@pytest.mark.usefixtures("without_admin")
def test_the_admin_can_be_taken_away() -> None:
    with pytest.raises(Resolver404):
        resolve("/admin/")


def test_the_admin_is_there_by_default() -> None:
    assert resolve("/admin/").app_name == "admin"


@pytest.fixture
def moved_admin(settings: Any) -> Iterator[None]:
    settings.ADMIN_PATH = "my-desk_1/"
    importlib.reload(urls)
    clear_url_caches()
    yield
    settings.ADMIN_PATH = "admin/"
    importlib.reload(urls)
    clear_url_caches()


@pytest.mark.usefixtures("moved_admin")
async def test_the_admin_can_be_elsewhere_and_keeps_its_headers() -> None:
    assert (await call("GET", "/admin/")).status == 404
    moved = await call("GET", "/my-desk_1/")
    assert (moved.status, moved.headers["location"]) == (302, "/my-desk_1/login/?next=/my-desk_1/")
    assert moved.headers["referrer-policy"] == "same-origin"


def test_its_cookies_go_where_the_admin_is(tmp_path: Path) -> None:
    shown = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "-v0",
            "-c",
            "from django.conf import settings as s; print(s.SESSION_COOKIE_PATH, s.CSRF_COOKIE_PATH)",
        ],
        cwd=settings.BASE_DIR,
        env={**os.environ, "QUARTER_ADMIN_PATH": "my-desk_1/", "QUARTER_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert shown.stdout.split() == ["/my-desk_1/", "/my-desk_1/"]


@pytest.mark.parametrize("path", ["/api/", "/api/login/", "/static/../manage.py", "/ws/send/", "/index.html"])
def test_there_is_nothing_else(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(path)


@pytest.mark.parametrize("switch", ["true", "false"])
def test_the_admins_files_go_with_it(switch: str, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "manage.py", "findstatic", "admin/css/base.css", "-v", "0"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "QUARTER_ADMIN": switch, "QUARTER_DATA_DIR": str(tmp_path)},
        capture_output=True,
    )
    assert (b"base.css" in found.stdout) == (switch == "true")
