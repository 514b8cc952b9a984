"""Client addresses, and how little is kept of them."""

from typing import Any

import pytest

from messenger import addresses


def scope(client: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"client": (client, 1) if client else None, "headers": headers}


def test_nobody_is_believed_without_a_proxy() -> None:
    assert addresses.of_scope(scope("192.0.2.1", "198.51.100.9")) == "192.0.2.1"


@pytest.mark.parametrize(
    ("count", "forwarded", "expected"),
    [
        (1, ["198.51.100.9"], "198.51.100.9"),
        (1, ["203.0.113.66, 198.51.100.9"], "198.51.100.9"),
        (1, ["203.0.113.66", "198.51.100.9"], "198.51.100.9"),
        (2, ["203.0.113.66, 198.51.100.9, 10.0.0.2"], "198.51.100.9"),
        (2, ["198.51.100.9"], "198.51.100.9"),
        (1, [], "192.0.2.1"),
        (1, ["nonsense"], "unknown"),
    ],
)
def test_only_the_hops_of_our_own_proxies_are_believed(
    settings: Any, count: int, forwarded: list[str], expected: str
) -> None:
    settings.PROXY_COUNT = count
    assert addresses.of_scope(scope("192.0.2.1", *forwarded)) == expected


def test_an_ipv6_client_counts_as_its_network() -> None:
    assert addresses.of_scope(scope("2001:db8::1")) == addresses.of_scope(scope("2001:db8::ffff:2"))
    assert addresses.of_scope(scope("2001:db8::1")) != addresses.of_scope(scope("2001:db8:0:1::1"))
    assert addresses.of_scope(scope("::ffff:192.0.2.1")) == "192.0.2.1"


def test_a_unix_socket_has_no_address() -> None:
    assert addresses.of_scope(scope(None)) == "unknown"


def test_an_address_means_the_same_for_an_hour_and_then_nothing() -> None:
    now = [0.0]
    blind = addresses.Blind(clock=lambda: now[0])
    first = blind("192.0.2.1")
    now[0] = 3599
    assert blind("192.0.2.1") == first
    assert blind("192.0.2.2") != first
    now[0] = 3600
    assert blind("192.0.2.1") != first


def test_another_process_blinds_otherwise() -> None:
    assert addresses.Blind()("192.0.2.1") != addresses.Blind()("192.0.2.1")
