"""X-Wing: what it refuses. test_published has the published vectors."""

import pytest

from reference import kem
from reference.tests.refusal import refused
from reference.vectors import flaws

PLACES = [0, 1, 700, 1183, 1184, 1215]


def test_both_sides_get_one_secret() -> None:
    ek, dk = kem.generate()
    ct, ss = kem.encapsulate(ek)
    assert (len(ek), len(dk), len(ct), len(ss)) == (1216, 32, 1120, 32)
    assert kem.decapsulate(dk, ct) == ss
    assert kem.ek_of(dk) == ek


def test_two_pairs_and_two_ciphertexts_differ() -> None:
    (ek, _), (other, _) = kem.generate(), kem.generate()
    assert ek != other
    assert kem.encapsulate(ek) != kem.encapsulate(ek)


@pytest.mark.parametrize("at", [0, 1, 500, 1087, 1088, 1119])
def test_a_changed_ciphertext_gives_another_secret(at: int) -> None:
    ek, dk = kem.generate()
    ct, ss = kem.encapsulate(ek)
    assert kem.decapsulate(dk, flaws.flipped(ct, at)) != ss


@pytest.mark.parametrize("value", [flaws.Q, flaws.Q + 1, 0xFFF])
def test_a_coefficient_of_q_or_more_is_refused(value: int) -> None:
    ek, _ = kem.generate()
    kem.encapsulate(flaws.with_coefficient(ek, flaws.Q - 1))
    with refused("kem"):
        kem.encapsulate(flaws.with_coefficient(ek, value))


@pytest.mark.parametrize("share", flaws.LOW_ORDER.values(), ids=flaws.LOW_ORDER)
def test_a_low_order_share_is_refused_on_either_side(share: bytes) -> None:
    ek, dk = kem.generate()
    ct, _ = kem.encapsulate(ek)
    with refused("kem"):
        kem.encapsulate(flaws.with_share(ek, share))
    with refused("kem"):
        kem.decapsulate(dk, flaws.with_share(ct, share))


def test_a_share_is_not_refused_for_its_spelling() -> None:
    """RFC 7748 §5: a number of p or more, and the top bit, are taken as they are read."""
    ek, dk = kem.generate()
    ct, _ = kem.encapsulate(ek)
    unreduced = ((1 << 255) - 19 + 2).to_bytes(32, "little")
    assert len(kem.decapsulate(dk, flaws.with_share(ct, unreduced))) == 32
    assert len(kem.decapsulate(dk, flaws.flipped(ct, -1, 0x80))) == 32
    kem.encapsulate(flaws.with_share(ek, unreduced))


@pytest.mark.parametrize("length", [0, 1119, 1121])
def test_a_ciphertext_of_another_length_is_refused(length: int) -> None:
    with refused("kem"):
        kem.decapsulate(bytes(32), bytes(length))


@pytest.mark.parametrize("length", [0, 1215, 1217])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with refused("kem"):
        kem.encapsulate(bytes(length))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with refused("kem"):
        kem.ek_of(bytes(length))
