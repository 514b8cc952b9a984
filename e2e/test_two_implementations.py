"""PROTOCOL §10.2: the reference client, written from the document, talks with the page."""

import re
from collections.abc import Callable, Iterator

import pytest

from e2e.person import Person
from e2e.stack import Stack
from e2e.terminal import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def terminal(stack: Stack) -> Iterator[Open]:
    """Opens terminals: terminal("link"), terminal("join", link)."""
    opened: list[Terminal] = []

    def start(command: str, *arguments: str) -> Terminal:
        opened.append(Terminal(stack.url, command, *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def talk_in_turns(page: Person, terminal: Terminal, *already: str) -> None:
    """Several changes of turn, and turns of several messages; all arrives once, in order."""
    said = list(already)
    for number in range(4):
        turn = [f"page {number}, first", f"page {number}, second 👋{' long' * 150}", f"terminal {number}"]
        page.says(turn[0])
        page.says(turn[1])
        terminal.sees(f"page {number}, second")
        terminal.says(turn[2])
        said += turn
        page.sees(*said)
    page.sees_delivered("page 3, first")
    terminal.sees("delivered")
    assert [terminal.printed.count(f"page {number}, first") for number in range(4)] == [1, 1, 1, 1]


def test_a_page_joins_by_the_terminals_link(bob: Person, terminal: Open) -> None:
    alice = terminal("link", "--name", "Bob")
    bob.joins(alice.link())
    bob.says("hello")
    alice.sees("Bob: hello")
    talk_in_turns(bob, alice, "hello")


def test_the_terminal_joins_by_a_pages_link(alice: Person, terminal: Open) -> None:
    bob = terminal("join", alice.link())
    bob.says("hello")
    alice.enters()
    alice.sees("hello")
    talk_in_turns(alice, bob, "hello")


def test_the_page_reads_all_again_after_a_reload_and_goes_on(alice: Person, terminal: Open) -> None:
    bob = terminal("join", alice.link())
    bob.says("before")
    alice.enters()
    alice.says("mine")
    bob.sees("mine")
    alice.reload()
    alice.sees("before", "mine")
    bob.says("after")
    alice.sees("before", "mine", "after")
    alice.says("and on")
    bob.sees("and on")


def test_a_request_is_accepted_and_both_have_one_safety_number(alice: Person, terminal: Open) -> None:
    bob = terminal("ask", alice.code())
    alice.enters()
    alice.accepts()
    bob.sees("unverified")
    bob.says("it is me")
    alice.sees("it is me")
    bob.says("/safety")
    bob.sees(r"(?:\d{5}\s+){12}")
    assert alice.compares().split() == re.findall(r"\b\d{5}\b", bob.printed)[-12:]


def test_the_terminal_accepts_a_pages_request(bob: Person, terminal: Open) -> None:
    alice = terminal("link")
    bob.open()
    bob.asks(alice.code())
    alice.sees("asks to talk")
    alice.says("/accept")
    alice.sees("unverified")
    alice.says("who is it?")
    bob.sees("who is it?")


def test_the_terminal_hears_that_the_page_left(alice: Person, terminal: Open) -> None:
    bob = terminal("join", alice.link())
    bob.says("hello")
    alice.enters()
    alice.sees("hello")
    alice.leaves()
    bob.sees("has left")
    assert bob.ends() == 0


def test_the_page_hears_that_the_terminal_erased_everything(bob: Person, terminal: Open) -> None:
    alice = terminal("link")
    bob.joins(alice.link())
    bob.says("hello")
    alice.sees("hello")
    alice.says("/erase")
    alice.sees("Erased")
    assert alice.ends() == 0
    bob.reads("The other side left.")
    assert "hello" not in bob.text()
