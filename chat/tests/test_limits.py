"""How much one may ask for."""

from dataclasses import replace
from typing import Any

import pytest

from chat import limits


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_burst_and_then_says_when() -> None:
    clock = Clock()
    bucket = limits.Bucket(3, 2, clock)
    assert [bucket.take() for _ in range(3)] == [None] * 3
    assert bucket.take() == 0.5
    clock.now += 0.25
    assert bucket.take() == 0.25
    clock.now += 0.25
    assert bucket.take() is None


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    clock = Clock()
    bucket = limits.Bucket(2, 1, clock)
    clock.now += 1000
    assert [bucket.take() is None for _ in range(3)] == [True, True, False]


def test_each_user_has_a_bucket_that_outlives_sockets() -> None:
    buckets = limits.Buckets(1, 0.001)
    assert buckets.take("alice") is None
    assert buckets.take("bob") is None
    assert buckets.take("alice") is not None


def test_the_oldest_bucket_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BUCKETS_KEPT", 2)
    buckets = limits.Buckets(1, 0.001)
    for user in ("alice", "bob", "carol"):
        buckets.take(user)
    assert buckets.take("carol") is not None
    assert buckets.take("alice") is None


def test_an_address_has_so_many_seats_and_gets_them_back(settings: Any) -> None:
    settings.LIMITS = replace(settings.LIMITS, sockets_per_address=2)
    seats = limits.Seats()
    with seats.seat("here") as first, seats.seat("here") as second, seats.seat("here") as third:
        assert (first, second, third) == (True, True, False)
        with seats.seat("there") as other:
            assert other
    with seats.seat("here") as again:
        assert again
