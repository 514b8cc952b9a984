"""The people, and the end of the process's node after each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from django.db import connection

from chat import limits, node
from chat.tests import people
from chat.tests.people import Person

collect_ignore = ["test_postgres.py" if connection.vendor == "sqlite" else "test_sqlite.py"]


@pytest.fixture
def alice(transactional_db: None) -> Person:
    return people.meet("Alice")


@pytest.fixture
def bob(transactional_db: None) -> Person:
    return people.meet("Bob")


@pytest.fixture
def mallory(transactional_db: None) -> Person:
    return people.meet("Mallory")


@pytest_asyncio.fixture
async def here(transactional_db: None) -> AsyncIterator[node.Node]:
    """The node of this test's loop; stopped when the test is over."""
    yield node.current()
    await node.stop()


class Still(limits.Bucket):
    """A bucket whose time stands still."""

    def __init__(self, burst: float, per_second: float) -> None:
        super().__init__(burst, per_second, lambda: 0.0)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken out of a bucket does not come back, however slow the test is."""
    monkeypatch.setattr(limits, "Bucket", Still)


@pytest.fixture
def session(alice: Person, bob: Person) -> str:
    """Alice began it, Bob answered."""
    return people.open_session(alice, bob)
