"""Which paths there are."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import Resolver404, clear_url_caches, resolve

from messenger import urls


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


@pytest.mark.parametrize("path", ["/api/", "/api/login/", "/static/../manage.py", "/ws/send/", "/index.html"])
def test_there_is_nothing_else(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(path)
