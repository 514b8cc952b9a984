"""Safety numbers."""

import hashlib

import pytest

from reference import primitives, safety
from reference.tests.people import alice, bob, mallory


def test_it_is_the_same_for_both_and_another_for_others() -> None:
    number = safety.groups(alice().hash, bob().hash)
    assert number == safety.groups(bob().hash, alice().hash)
    assert number != safety.groups(alice().hash, mallory().hash)


@pytest.mark.parametrize(
    ("one", "other"), [(b"\x80" + bytes(31), bytes(31) + b"\x7f"), (bytes(32), bytes(31) + b"\x01")]
)
def test_it_is_made_as_section_8_says(one: bytes, other: bytes) -> None:
    pair = min(one, other) + max(one, other)
    x = hashlib.sha256(b"quarter/1 safety" + pair).digest()
    for _ in range(5199):
        x = hashlib.sha256(x + pair).digest()
    digits = primitives.hkdf(x, b"", b"quarter/1 safety digits", 60)
    expected = [f"{int.from_bytes(digits[5 * i : 5 * i + 5]) % 100000:05d}" for i in range(12)]
    assert list(safety.groups(one, other)) == expected
    assert safety.code(safety.groups(one, other)) == "quarter/1 safety " + "".join(expected)
