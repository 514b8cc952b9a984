"""How often one address may try."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine
from django.conf import settings

from accounts import limits
from accounts.errors import TooFast
from messenger import rates

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("spend", "most"),
    [(limits.spend_new_identity, 10), (limits.spend_login, 60), (limits.spend_answer, 60)],
)
def test_an_address_may_do_each_so_often_a_minute(spend: Callable[[str], None], most: int) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(most):
            spend("192.0.2.1")
        with pytest.raises(TooFast) as refused:
            spend("192.0.2.1")
        assert refused.value.retry_after is not None
        clock.shift(refused.value.retry_after)
        spend("192.0.2.1")


def test_another_address_is_not_held_back() -> None:
    for _ in range(10):
        limits.spend_new_identity("192.0.2.1")
    limits.spend_new_identity("192.0.2.2")


def test_login_attempts_are_counted_apart() -> None:
    for _ in range(settings.LIMITS.logins_per_minute):
        limits.spend_login("192.0.2.1")
    limits.spend_new_identity("192.0.2.1")
    with pytest.raises(TooFast):
        limits.spend_login("192.0.2.1")


def test_no_address_rests_in_the_counters() -> None:
    limits.spend_login("192.0.2.77")
    assert not any("192.0.2.77" in key for key in rates._storage.storage)
