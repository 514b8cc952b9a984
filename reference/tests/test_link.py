"""Links and addresses: whom a text names."""

import pytest

from reference import b64u, link
from reference.link import Address
from reference.tests.refusal import refused

HASH, SECRET = bytes(range(32)), bytes(range(100, 116))
H, S = b64u.encode(HASH), b64u.encode(SECRET)


@pytest.mark.parametrize("origin", ["https://quarter.example", "http://localhost:8000", "https://[::1]"])
def test_a_link_names_its_owner_and_carries_its_secret(origin: str) -> None:
    text = link.format_link(origin, HASH, SECRET)
    assert text == f"{origin}/#{H}.{S}"
    assert link.parse_address(text) == Address(HASH, SECRET)


def test_an_address_without_a_secret_makes_a_request() -> None:
    text = link.format_link("https://quarter.example", HASH, None)
    assert text == f"https://quarter.example/#{H}"
    assert link.parse_address(text) == Address(HASH, None)


@pytest.mark.parametrize(
    "text", [f"{H}.{S}", f"#{H}.{S}", f" #{H} .{S}\n", f"https://a.b/#\t{H[:20]}\n  {H[20:]}.{S}"]
)
def test_a_part_of_a_link_is_enough_and_white_space_means_nothing(text: str) -> None:
    assert link.parse_address(text) == Address(HASH, SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        ".",
        "https://quarter.example/",
        H[:-1],
        H + "A",
        H + "=",
        H[:-1] + "9",
        f"{H}#",
        f"#{H}#{H}",
        f"##{H}",
    ],
)
def test_what_holds_no_hash_is_refused(text: str) -> None:
    with refused("address"):
        link.parse_address(text)


@pytest.mark.parametrize(
    "secret", ["", ".", S[:-1], S + "A", S + "=", S + ".", S + "." + S, S[:-1] + "x", "+" * 22]
)
def test_a_wrong_secret_is_never_dropped(secret: str) -> None:
    with refused("address"):
        link.parse_address(f"https://quarter.example/#{H}.{secret}")


def test_secrets_are_sixteen_random_bytes() -> None:
    assert len(link.make_secret()) == 16
    assert link.make_secret() != link.make_secret()
    assert link.make_secret(lambda length: bytes(length)) == bytes(16)


def test_an_address_does_not_print_its_secret() -> None:
    assert "secret" not in repr(Address(HASH, SECRET))
