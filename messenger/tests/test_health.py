"""Does it live, can it work."""

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection

from messenger import health
from messenger.tests.wire import call

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_server_that_can_work_says_so_whatever_name_it_is_called_by() -> None:
    answer = await call("GET", "/readyz", headers={"host": "10.0.0.7"})
    assert (answer.status, answer.json()) == (200, {"ok": True, "database": True, "redis": True})


async def test_a_server_without_redis_is_not_ready_but_lives(settings: Any, tmp_path: Any) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    answer = await call("GET", "/readyz")
    assert (answer.status, answer.json()) == (503, {"ok": False, "database": True, "redis": False})
    assert (await call("GET", "/healthz")).status == 200


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_server_without_a_database_is_not_ready(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise error

    monkeypatch.setattr(connection, "cursor", fail)
    answer = health.ready()
    assert answer.status_code == 503
    assert b'"database": false' in answer.content
