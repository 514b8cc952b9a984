"""When a conversation ends, by this side's own clocks (PROTOCOL §9). Pure: the moment is passed in.

Two clocks are looked at, and the one that says "over" first is believed: the monotonic clock can't be set,
and the wall clock goes on through sleep.
"""

import time
from typing import NamedTuple

import msgspec

DAY_SECONDS = 86_400


class Moment(NamedTuple):
    """Now, in seconds, by the wall clock (since 1970) and by the monotonic one (since anything)."""

    wall: float
    mono: float


def now() -> Moment:
    """This moment."""
    return Moment(time.time(), time.monotonic())


class Deadline(msgspec.Struct, frozen=True):
    """The end of a conversation: `ttl_seconds` after the last activity, a day after its beginning at most."""

    began: Moment
    active: Moment
    ttl_seconds: int

    def left_seconds(self, at: Moment) -> float:
        """How long it still lives, by the clock that leaves it less; negative where it is over."""
        after_activity = self.ttl_seconds - _passed(self.active, at)
        return min(after_activity, DAY_SECONDS - _passed(self.began, at))

    def is_over(self, at: Moment) -> bool:
        """Whether the conversation has ended."""
        return self.left_seconds(at) <= 0

    def touched(self, at: Moment, ttl_seconds: int | None = None) -> "Deadline":
        """The deadline after an activity at this moment, and perhaps with another time to live."""
        return Deadline(self.began, at, ttl_seconds or self.ttl_seconds)


def begin(at: Moment, ttl_seconds: int) -> Deadline:
    """The deadline of a conversation that begins now."""
    return Deadline(at, at, min(ttl_seconds, DAY_SECONDS))


def restored(began_wall: float, active_wall: float, ttl_seconds: int, at: Moment) -> Deadline:
    """The deadline of a conversation that another process began: its monotonic clock is none of ours."""

    def moment(wall: float) -> Moment:
        return Moment(wall, at.mono - max(0.0, at.wall - wall))

    return Deadline(moment(began_wall), moment(active_wall), ttl_seconds)


def _passed(since: Moment, at: Moment) -> float:
    return max(at.wall - since.wall, at.mono - since.mono)
