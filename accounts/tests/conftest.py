"""People, and a clean slate of limits."""

from collections.abc import Iterator

import pytest

from accounts.tests.people import Person, person
from messenger import rates


@pytest.fixture(scope="session")
def alice() -> Person:
    return person("alice")


@pytest.fixture(scope="session")
def bob() -> Person:
    return person("bob")


@pytest.fixture(scope="session")
def mallory() -> Person:
    return person("mallory")


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    rates.reset()
    yield
    rates.reset()
