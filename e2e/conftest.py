"""The started stack, the browser, and people. No test may leave trouble in a page behind."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from e2e import bundle, suite
from e2e.person import Person
from e2e.stack import ROOT, Stack

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(["--no-sandbox"] if os.getuid() == 0 else []),
]

MakeStack = Callable[[Mapping[str, str]], Stack]
MakePerson = Callable[..., Person]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.exit(f"There is no browser at {CHROMIUM}; name one with CHROMIUM=/path/to/chromium.", 1)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack as everybody starts it, shared by the tests that don't end it or look into it."""
    stack = Stack(tmp_path_factory.mktemp("stack"), {})
    yield stack
    stack.end()


@pytest.fixture
def make_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeStack]:
    """Makes a stack of the test's own, with settings of its own."""
    stacks: list[Stack] = []

    def make(settings: Mapping[str, str]) -> Stack:
        stacks.append(Stack(tmp_path_factory.mktemp("stack"), settings))
        return stacks[-1]

    yield make
    for stack in stacks:
        stack.end()


@pytest.fixture
def make_person(
    browser: Browser, make_stack: MakeStack, request: pytest.FixtureRequest
) -> Iterator[MakePerson]:
    """Makes a person: make_person("Alice", stack). Afterwards their pages must have been without trouble.

    It depends on make_stack so that people go home before their stack ends.
    """
    people: list[Person] = []

    def make(name: str, stack: Stack, **context: object) -> Person:
        people.append(Person(name, browser, stack.url, **context))
        return people[-1]

    failed_before = request.session.testsfailed
    yield make
    if request.session.testsfailed > failed_before:
        _keep_screenshots(people, request.node.name)
        lines = sorted(line for person in people for line in person.network[-15:] + person.trouble)
        request.node.add_report_section("teardown", "network", "\n".join(lines))
    for person in people:
        person.context.close()
    assert [line for person in people for line in person.trouble] == []


@pytest.fixture(scope="session")
def cryptography(browser: Browser) -> Iterator[suite.Suite]:
    """The page's cryptography, ready to be asked."""
    with bundle.served(suite.CONFIG) as url, browser.new_page() as page:
        page.goto(url)
        yield suite.Suite(page)


@pytest.fixture
def alice(make_person: MakePerson, stack: Stack) -> Person:
    """Alice, at home."""
    return make_person("Alice", stack).open()


@pytest.fixture
def bob(make_person: MakePerson, stack: Stack) -> Person:
    """Bob, who has not opened anything yet."""
    return make_person("Bob", stack)


@pytest.fixture
def talking(alice: Person, bob: Person) -> tuple[Person, Person]:
    """Alice and Bob, in an open conversation that Bob's link led to."""
    meet(alice, bob)
    return alice, bob


def meet(owner: Person, guest: Person) -> None:
    """The guest joins by the owner's link and says `hello`; both see it."""
    guest.joins(owner.link())
    guest.says("hello")
    owner.enters()
    owner.sees("hello")
    guest.sees_delivered("hello")


def _keep_screenshots(people: list[Person], test: str) -> None:
    directory = ROOT / "test-results"
    directory.mkdir(exist_ok=True)
    for person in people:
        for number, page in enumerate(person.context.pages):
            name = re.sub(r"[^\w-]+", "_", f"{test}-{person.name}-{number}")
            page.screenshot(path=directory / f"{name}.png")
