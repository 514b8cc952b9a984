"""R6 and R7 on the page's side: what lies in a browser's profile on the disk when a conversation is over.

LevelDB, in which Chromium keeps IndexedDB, appends now and deletes later: sealed bytes may lie in its files
for a while. What was said must never be in them, and neither the server's half of the seal around it.
"""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, BrowserContext

from e2e import search
from e2e.conftest import ARGUMENTS, CHROMIUM, MakePerson, MakeStack, meet
from e2e.person import Person
from e2e.stack import Stack
from e2e.test_gone_after_its_time import SHORT

MakeResident = Callable[[str, Stack], Person]


class OnDisk:
    """Makes one context, as a browser of its own that keeps its profile on the disk."""

    def __init__(self, browser: Browser, profile: Path) -> None:
        self._browser, self._profile = browser, profile

    def new_context(self, **given: Any) -> BrowserContext:
        return self._browser.browser_type.launch_persistent_context(
            self._profile, executable_path=CHROMIUM, args=ARGUMENTS, **given
        )


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return tmp_path / "profile"


@pytest.fixture
def make_resident(browser: Browser, make_stack: MakeStack, profile: Path) -> Iterator[MakeResident]:
    """Makes a person whose browser keeps its profile on the disk."""
    people: list[Person] = []

    def make(name: str, stack: Stack) -> Person:
        people.append(Person(name, cast(Browser, OnDisk(browser, profile)), stack.url))
        return people[-1]

    yield make
    for person in people:
        person.context.close()
        assert person.trouble == []


def erase(person: Person) -> None:
    person.erases()


def wait(person: Person) -> None:
    person.reads("Time is up.")


@pytest.mark.parametrize("end", [erase, wait])
def test_a_profile_holds_nothing_that_opens_a_conversation_that_is_over(
    end: Callable[[Person], None],
    make_stack: MakeStack,
    make_person: MakePerson,
    make_resident: MakeResident,
    profile: Path,
) -> None:
    stack = make_stack(SHORT if end is wait else {})
    phrase = f"canary {secrets.token_hex(12)}"
    alice, bob = make_resident("Alice", stack).open(), make_person("Bob", stack)
    meet(alice, bob)
    alice.says(phrase)
    bob.sees("hello", phrase)
    tables = search.dump(stack.database_path)
    halves = [cell for row in tables["chat_sealhalf"] for cell in row if isinstance(cell, bytes)]
    assert len(halves) == 2
    # IndexedDB writes the texts of its keys in UTF-16: that the conversation is there is seen by its name.
    name = str(tables["chat_session"][0][0]).encode("utf-16-be")
    assert found([name], profile)

    end(alice)
    alice.context.close()  # all that it had in memory is on the disk now
    assert search.dump(stack.database_path)["chat_sealhalf"] == []
    spoken = [phrase.encode(), phrase.encode("utf-16-le"), phrase.encode("utf-16-be")]
    spelled = [half.hex().encode() for half in halves]
    assert found([*spoken, *halves, *spelled], profile) == []


def found(needles: list[bytes], profile: Path) -> list[str]:
    return search.files_holding_any(needles, (path for path in profile.rglob("*") if path.is_file()))
