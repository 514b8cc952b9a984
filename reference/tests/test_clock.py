"""This side's own clock."""

import pytest

from reference import clock
from reference.clock import Moment

START = Moment(1000.0, 10.0)


@pytest.mark.parametrize(
    ("wall", "mono"),
    [(900.0, 0.0), (0.0, 900.0), (-5000.0, 900.0)],
    ids=["slept", "awake", "the wall clock was set back"],
)
def test_either_clock_ends_it(wall: float, mono: float) -> None:
    deadline = clock.begin(START, 900)
    assert deadline.is_over(Moment(START.wall + wall, START.mono + mono))
    assert not deadline.is_over(Moment(START.wall + min(wall, 899.0), START.mono + min(mono, 899.0)))


def test_activity_moves_the_end_and_a_day_is_the_last_one() -> None:
    later = Moment(START.wall + 86_000.0, START.mono + 86_000.0)
    deadline = clock.begin(START, 900).touched(later)
    assert deadline.left_seconds(later) == 400.0
    assert clock.begin(START, 10**9).ttl_seconds == clock.DAY_SECONDS


def test_what_was_kept_has_aged_by_the_wall_clock() -> None:
    again = clock.restored(1000.0, 1500.0, 900, Moment(2000.0, 3.0))
    assert again.left_seconds(Moment(2000.0, 3.0)) == 400.0
    assert again.is_over(Moment(2000.0, 403.0))


def test_a_wall_clock_that_was_set_back_gives_no_more_than_the_whole_time() -> None:
    again = clock.restored(1000.0, 1500.0, 900, Moment(500.0, 3.0))
    assert again.left_seconds(Moment(500.0, 3.0)) == 900.0
