"""The checker passes what the promises allow, and names each thing that they don't."""

from dataclasses import replace

import pytest

from soak import checker
from soak.checker import Row
from soak.history import Event, History, Struck, What

TALK = "conversation 1"


def happened(*steps: tuple[float, What, int, str]) -> History:
    """A history of one sender: when, what, which message, and which bytes."""
    history = History()
    history.events = [Event(at, what, TALK, 0, n, named) for at, what, n, named in steps]
    return history


def in_the_database(*names: str) -> list[Row]:
    """Offer, answer, and messages of side 0 with these bytes."""
    head = [Row(TALK, 1, 0, None, "offer"), Row(TALK, 2, 1, None, "answer")]
    return head + [Row(TALK, 3 + n, 0, n, named) for n, named in enumerate(names)]


GOOD = happened(
    (0.0, "invoked", 0, "a"),
    (0.1, "ok", 0, "a"),
    (0.2, "seen", 0, "a"),
    (1.0, "invoked", 1, "b"),
    (1.1, "seen", 1, "b"),
    (1.2, "ok", 1, "b"),
)
STORED = in_the_database("a", "b")


def without(what: What, n: int) -> History:
    history = History()
    history.events = [event for event in GOOD.events if (event.what, event.n) != (what, n)]
    return history


def with_more(*more: Event) -> History:
    history = History()
    history.events = [*GOOD.events, *more]
    return history


def swapped() -> History:
    history = History()
    places = {"seen": {0: 1, 1: 0}}
    history.events = [
        replace(event, n=places.get(event.what, {}).get(event.n, event.n)) for event in GOOD.events
    ]
    return history


def test_a_history_in_which_all_was_seen_once_and_in_order_is_good() -> None:
    assert checker.broken_promises(GOOD, STORED) == []


@pytest.mark.parametrize(
    ("history", "rows", "said"),
    [
        (without("seen", 1), STORED, "acknowledged and lost: [1]"),
        (with_more(Event(2.0, "seen", TALK, 0, 1, "b")), STORED, "shown twice: [1]"),
        (swapped(), STORED, "shown out of order: [0]"),
        (with_more(Event(2.0, "seen", TALK, 0, 2, "c")), STORED, "other bytes than were said: [2]"),
        (without("ok", 0), STORED, "still in doubt after quiet: [0]"),
        (GOOD, in_the_database("a"), "the database has other bytes or none: [1]"),
        (GOOD, in_the_database("a", "x"), "the database has other bytes or none: [1]"),
        (GOOD, [*STORED[:3], replace(STORED[3], seq=5)], "gaps or repeats"),
        (GOOD, [*STORED, replace(STORED[3], n=2)], "gaps or repeats"),
        (GOOD, [*STORED, replace(STORED[3], seq=5)], "the database has a message twice"),
        (GOOD, [*STORED, replace(STORED[3], seq=5, n=2)], "what nobody said: [('conversation 1', 0, 2)]"),
        (with_more(Event(2.0, "seen", TALK, 1, 0, "x")), STORED, "side 1: shown with other bytes"),
        (GOOD, [], "nothing is in the database"),
    ],
)
def test_each_broken_promise_is_named(history: History, rows: list[Row], said: str) -> None:
    assert any(said in wrong for wrong in checker.broken_promises(history, rows))


def test_what_a_page_noticed_by_itself_counts_too() -> None:
    history = with_more()
    history.wrongs.append("own message 0 came back altered")
    assert checker.broken_promises(history, STORED) == ["own message 0 came back altered"]


def test_recovery_is_counted_from_when_the_part_is_back_to_when_nothing_waits() -> None:
    history = happened(
        (9.0, "invoked", 0, "early"),
        (9.1, "seen", 0, "early"),
        (11.0, "invoked", 1, "while it was broken"),
        (17.0, "seen", 1, "while it was broken"),
        (15.5, "invoked", 2, "soon after"),
        (18.0, "seen", 2, "soon after"),
        (20.0, "invoked", 3, "later"),
        (29.0, "seen", 3, "later"),
    )
    history.struck = [Struck("server killed", 10.0, 15.0)]
    assert checker.recoveries(history) == {"server killed": [2.5]}


def test_a_message_that_never_came_waits_for_ever() -> None:
    history = happened((11.0, "invoked", 0, "a"))
    history.struck = [Struck("server killed", 10.0, 15.0)]
    assert checker.recoveries(history) == {"server killed": [float("inf")]}


def test_the_slowest_hundredth_may_be_slower() -> None:
    assert checker.quantile([1.0] * 99 + [9.0], 0.98) == 1.0
    assert checker.quantile([1.0] * 98 + [9.0] * 2, 0.99) == 9.0
    assert checker.quantile([], 0.99) == 0.0


def test_only_lines_that_a_fault_explains_are_passed_over() -> None:
    lines = [
        "2026-11-24T10:19:43Z [info     ] swept   sessions=0",
        "server-1 ended (SIGKILL); it is started again.",
        "2026-11-24T10:19:43Z [error    ] our_bug frame=Post",
    ]
    assert checker.unexplained(lines, ["ended \\(SIGKILL\\)"]) == lines[2:]
    assert checker.unexplained(lines, []) == lines[1:]
