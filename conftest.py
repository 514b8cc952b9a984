"""What every test stands on: a real Valkey on a private socket, and a real database.

The database is an SQLite file of this run's own, or the PostgreSQL of DATABASE_URL (`make test-postgres`).
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from channels.layers import channel_layers
from django.conf import settings
from django.db import connections
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from messenger import redis
from messenger.celery import app
from messenger.tests import services

# A machine that is busy with other tests is no reason to fail.
hypothesis_settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
hypothesis_settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def redis_url() -> Iterator[str]:
    """The URL of this run's Valkey; settings, channel layer and Celery are pointed at it."""
    with services.valkey() as url:
        settings.REDIS_URL = url
        channel_layers.configs["default"]["CONFIG"]["hosts"] = [url]
        app.conf.update(broker_url=redis.broker_url(url))
        channel_layers.backends.clear()
        yield url


@pytest.fixture(scope="session", autouse=True)
def logs_to_pytest_alone() -> None:
    """pytest keeps what is logged; our own handler would write to a stream that pytest has closed by then."""
    logging.getLogger().handlers.clear()


@pytest.fixture(autouse=True)
def no_connection_left_behind() -> Iterator[None]:
    """Close the database connection of the thread that sync_to_async shares between tests."""
    yield
    executor = SyncToAsync.single_thread_executor
    if executor._threads:
        executor.submit(connections.close_all).result()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give the test database a name of its own: two runs at once don't meet."""
    chosen = connections["default"].settings_dict
    if connections["default"].vendor == "sqlite":
        name = str(tmp_path_factory.mktemp("database") / "quarter.sqlite3")
    else:
        name = f"test_quarter_{os.getpid()}"
    chosen["TEST"]["NAME"] = name


@pytest.fixture(scope="session")
def database_path() -> Path:
    """The SQLite file of this run, for tests that search its bytes."""
    return Path(connections["default"].settings_dict["NAME"])
