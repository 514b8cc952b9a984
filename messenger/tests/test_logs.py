"""Logs hold codes, never contents."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings

from messenger import logs
from messenger.tests.wire import call

SECRET = "kQ7hFJ2mNqWx"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    logging.config.dictConfig(settings.LOGGING)


@pytest.fixture
def lines() -> Callable[[], list[Any]]:
    """What a production server would have written to standard error until now."""
    written = io.StringIO()
    config = logs.config("INFO", as_json=True, whole_errors=False)
    config["handlers"]["stderr"]["stream"] = written
    logging.config.dictConfig(config)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def test_our_own_words_are_kept(lines: Any) -> None:
    structlog.get_logger("quarter.sweep").info("swept", sessions=3)
    (line,) = lines()
    assert (line["event"], line["sessions"], line["level"]) == ("swept", 3, "info")


def test_a_library_may_not_tell_what_it_was_given(lines: Any) -> None:
    logging.getLogger("django.request").warning("Not Found: %s", f"/{SECRET}")
    logging.getLogger("somewhere").error(f"it was {SECRET}")
    logging.getLogger("celery").error("Cannot connect to %s.\n%s\n", SECRET, SECRET)
    template, text, long = lines()
    assert template["event"] == "Not Found: %s"
    assert long["event"] == "Cannot connect to %s. %s"
    assert text["event"] == "(text left out)"
    assert text["line"].startswith("test_logs:")
    assert SECRET not in json.dumps([template, text])


def test_an_error_is_its_type_and_its_places(lines: Any) -> None:
    try:
        raise ValueError(f"Key (hash)=({SECRET}) already exists.")
    except ValueError:
        structlog.get_logger("quarter.writer").error("lost", exc_info=True)
        logging.getLogger("somewhere").exception("failed: %s", SECRET)
    for line in lines():
        assert line["error"] == "ValueError"
        assert line["at"][0].startswith("test_an_error_is_its_type_and_its_places:")
        assert SECRET not in json.dumps(line)


@pytest.mark.django_db(transaction=True)
async def test_requests_leave_neither_path_nor_address_behind(lines: Any) -> None:
    await call("GET", f"/{SECRET}", client="192.0.2.77")
    await call("GET", "/", headers={"host": f"{SECRET}.example"}, client="192.0.2.77")
    await call("POST", "/api/login", headers={"origin": f"https://{SECRET}.example"}, client="192.0.2.77")
    written = json.dumps(lines())
    assert '"status": 404' in written
    assert SECRET not in written
    assert "192.0.2.77" not in written


def test_at_debug_only_our_own_loggers_say_more() -> None:
    logging.config.dictConfig(logs.config("DEBUG", as_json=True, whole_errors=False))
    assert logging.getLogger("quarter.chat").isEnabledFor(logging.DEBUG)
    for name in (
        "autobahn",
        "asyncio",
        "celery.worker",
        "kombu",
        "redis",
        "psycopg.pool",
        "websockets",
        "django.db",
    ):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
        assert logging.getLogger(name).isEnabledFor(logging.WARNING), name
