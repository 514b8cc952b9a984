"""Contents: what is read, and what is written."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import content, padding
from reference.content import (
    Ack,
    Bye,
    Hello,
    Name,
    Sendable,
    Stored,
    Text,
    Timer,
    Typing,
    Unknown,
    Unreadable,
)
from reference.tests.refusal import refused

COUNTS = st.integers(0, 2**32 - 1)
TIMES = st.integers(0, 2**53 - 1)
TEXTS = st.text(max_size=200).filter(lambda text: not text.startswith("\ufeff"))
NAMES = st.builds(Name, st.integers(0, 1), COUNTS)
CONTENTS: st.SearchStrategy[Sendable] = (
    st.builds(Hello, TIMES, COUNTS)
    | st.builds(Ack, TIMES, COUNTS)
    | st.builds(Bye, TIMES, COUNTS)
    | st.builds(Text, TIMES, COUNTS, text=TEXTS, reply=st.none() | NAMES)
    | st.builds(Timer, TIMES, COUNTS, seconds=COUNTS)
)
BASE = {"at": 5, "seen": 2}


def frame(members: object) -> bytes:
    """The frame of a map, right or wrong."""
    return padding.frame(msgspec.msgpack.encode(members))


@given(CONTENTS)
def test_a_content_comes_back(one: Sendable) -> None:
    assert content.read(content.write(one)) == one


@given(st.binary(max_size=100).map(padding.frame) | st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(framed: bytes) -> None:
    assert isinstance(content.read(framed), Unreadable)
    assert content.read_typing(framed) is None


def test_the_members_are_those_of_section_7() -> None:
    assert content.to_map(Hello(5, 2)) == {"t": "hello", **BASE}
    assert content.to_map(Ack(5, 2)) == {"t": "ack", **BASE}
    assert content.to_map(Bye(5, 2)) == {"t": "bye", **BASE}
    assert content.to_map(Text(5, 2, text="hi")) == {"t": "text", **BASE, "text": "hi"}
    reply = Text(5, 2, text="hi", reply=Name(1, 3))
    assert content.to_map(reply) == {"t": "text", **BASE, "text": "hi", "reply": [1, 3]}
    assert content.to_map(Timer(5, 2, seconds=60)) == {"t": "timer", **BASE, "seconds": 60}
    assert content.to_map(Typing(True)) == {"t": "typing", "on": True}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"seen": 2, "t": "ack", "at": 5}, Ack(5, 2)),
        ({"t": "text", "text": "", **BASE}, Text(5, 2, text="")),
        ({"t": "ack", **BASE, "text": 7, "later_version": {"x": [None, True, b""]}}, Ack(5, 2)),
        ({"t": "text", **BASE, "text": "a", "on": 3}, Text(5, 2, text="a")),
        ({"t": "wave", **BASE}, Unknown(5, 2, t="wave")),
        ({"t": "read", **BASE, "newest": [0, 3]}, Unknown(5, 2, t="read")),
        ({"t": "", **BASE}, Unknown(5, 2, t="")),
    ],
)
def test_order_and_unknown_members_and_types_are_taken(members: object, expected: Stored) -> None:
    assert content.read(frame(members)) == expected


@pytest.mark.parametrize(
    "members",
    [
        {},
        BASE,
        {"t": 5, **BASE},
        {"t": None, **BASE},
        {"t": b"ack", **BASE},
        {"t": "ack", "seen": 2},
        {"t": "ack", "at": 5},
        {"t": "ack", "at": -1, "seen": 2},
        {"t": "ack", "at": 5, "seen": -1},
        {"t": "ack", "at": 5, "seen": 2**32},
        {"t": "ack", "at": "5", "seen": 2},
        {"t": "ack", "at": True, "seen": 2},
        {"t": "ack", "at": 5, "seen": False},
        {"t": "ack", "at": 5.0, "seen": 2},
        {"t": "wave", "at": 5},
        {"t": "wave", "at": 5, "seen": "2"},
        {"t": "text", **BASE},
        {"t": "text", **BASE, "text": b"a"},
        {"t": "text", **BASE, "text": None},
        {"t": "text", **BASE, "text": "a" * 16385},
        {"t": "text", **BASE, "text": "é" * 8193},
        {"t": "text", **BASE, "text": "a", "reply": None},
        {"t": "text", **BASE, "text": "a", "reply": []},
        {"t": "text", **BASE, "text": "a", "reply": [0]},
        {"t": "text", **BASE, "text": "a", "reply": [0, 1, 2]},
        {"t": "text", **BASE, "text": "a", "reply": [2, 0]},
        {"t": "text", **BASE, "text": "a", "reply": [-1, 0]},
        {"t": "text", **BASE, "text": "a", "reply": [True, 0]},
        {"t": "text", **BASE, "text": "a", "reply": [0, 2**32]},
        {"t": "text", **BASE, "text": "a", "reply": {"sender": 0}},
        {"t": "text", **BASE, "text": "a", "reply": "01"},
        {"t": "timer", **BASE},
        {"t": "timer", **BASE, "seconds": -1},
        {"t": "timer", **BASE, "seconds": 2**32},
        {"t": "timer", **BASE, "seconds": "60"},
        {"t": "typing", "on": True},
        {"t": "typing", "on": True, **BASE},
        [],
        "ack",
        None,
    ],
)
def test_what_a_type_does_not_allow_is_unreadable(members: object) -> None:
    assert content.read(frame(members)) == Unreadable()


@pytest.mark.parametrize("text", ["a" * 16384, "é" * 8192, "💬" * 4096])
def test_a_text_of_16_kib_is_the_longest(text: str) -> None:
    longest = Text(5, text=text)
    assert content.read(content.write(longest)) == longest
    with refused("too-long"):
        content.write(Text(5, text=text + "a"))


@pytest.mark.parametrize(
    "bad",
    [
        Text(5, text="\ud800"),
        Text(5, text="\ufeffa"),
        Text(-1, text="a"),
        Text(2**53, text="a"),
        Text(5, 2**32, text="a"),
        Text(5, text="a", reply=Name(2, 0)),
        Text(5, text="a", reply=Name(0, 2**32)),
        Timer(5, seconds=-1),
        Timer(5, seconds=2**32),
    ],
)
def test_what_nobody_could_read_is_not_written(bad: Sendable) -> None:
    with refused("content"):
        content.write(bad)


@pytest.mark.parametrize("on", [True, False])
def test_typing_is_read_only_where_it_may_be(on: bool) -> None:
    framed = content.write(Typing(on))
    assert content.read_typing(framed) == Typing(on)
    assert content.read(framed) == Unreadable()


@pytest.mark.parametrize(
    "members", [{"t": "typing"}, {"t": "typing", "on": 1}, {"t": "typing", "on": None}, {"t": "ack", **BASE}]
)
def test_no_other_content_is_volatile(members: object) -> None:
    assert content.read_typing(frame(members)) is None


def test_a_text_is_not_printed() -> None:
    assert "secret" not in repr(Text(5, text="secret"))
