"""At most so much is under way to a page that has not taken it."""

from dataclasses import replace
from typing import Any

import pytest

from chat.window import Window


@pytest.fixture
def window(settings: Any) -> Window:
    settings.LIMITS = replace(settings.LIMITS, window_items=3, window_bytes=100)
    return Window()


def test_the_limit_of_items_is_reached_by_the_last_that_fits(window: Window) -> None:
    for seq in (1, 2, 3):
        assert window.fits(1)
        window.send("s", seq, 1)
    assert not window.fits(1)
    assert window.room == 0


@pytest.mark.parametrize(("size", "fits"), [(39, True), (40, True), (41, False)])
def test_the_limit_of_bytes_is_kept_to_the_byte(window: Window, size: int, fits: bool) -> None:
    window.send("s", 1, 60)
    assert window.fits(size) is fits


def test_one_item_alone_always_fits(window: Window) -> None:
    assert window.fits(1000)
    window.send("s", 1, 1000)
    assert not window.fits(1)


def test_no_more_is_worth_to_look_at_than_its_bytes_allow(window: Window) -> None:
    assert [window.room_for(size) for size in (0, 33, 34, 50, 51, 1000)] == [3, 3, 2, 2, 1, 1]
    window.send("s", 1, 99)
    assert window.room_for(50) == 1
    window.send("s", 2, 1)
    window.send("s", 3, 0)
    assert window.room_for(1) == 0


def test_taking_is_cumulative_and_makes_room(window: Window) -> None:
    for seq in (1, 2, 3):
        window.send("s", seq, 10)
    assert window.take("s", 2)
    assert (window.items, window.bytes) == (1, 10)


def test_taking_twice_or_too_much_makes_no_more_room(window: Window) -> None:
    window.send("s", 1, 10)
    assert window.take("s", 99)
    assert not window.take("s", 99)
    assert not window.take("other", 1)
    assert (window.items, window.bytes) == (0, 0)


def test_an_ended_session_gives_its_room_back(window: Window) -> None:
    window.send("s", 1, 10)
    window.send("t", 1, 20)
    window.forget("s")
    assert (window.items, window.bytes) == (1, 20)
