"""The primitives, held against Python's own, and their refusals. test_published has the published vectors."""

import hashlib
import hmac

import pytest

from reference import primitives
from reference.tests.people import alice, bob
from reference.tests.refusal import refused

KEY, NONCE = bytes(32), bytes(12)


def test_hash_and_mac_are_those_of_the_standard_library() -> None:
    assert primitives.sha256(b"abc") == hashlib.sha256(b"abc").digest()
    assert primitives.hmac_sha256(b"key", b"data") == hmac.digest(b"key", b"data", "sha256")


def test_an_empty_salt_is_32_zero_bytes() -> None:
    extracted = hmac.digest(bytes(32), b"ikm", "sha256")
    first = hmac.digest(extracted, b"info\x01", "sha256")
    second = hmac.digest(extracted, first + b"info\x02", "sha256")
    assert primitives.hkdf(b"ikm", b"", b"info", 44) == (first + second)[:44]


def test_a_mac_verifies_only_whole() -> None:
    mac = primitives.hmac_sha256(b"key", b"data")
    assert primitives.hmac_verifies(b"key", b"data", mac)
    assert not any(
        primitives.hmac_verifies(b"key", b"data", bad) for bad in (mac[:-1], mac + b"\0", b"", bytes(32))
    )
    assert not primitives.hmac_verifies(b"kez", b"data", mac)
    assert not primitives.hmac_verifies(b"key", b"date", mac)


def test_a_sealed_text_opens_only_as_it_was_sealed() -> None:
    sealed = primitives.seal(KEY, NONCE, b"text", b"associated")
    assert primitives.unseal(KEY, NONCE, sealed, b"associated") == b"text"
    for bad in (sealed[:-1], sealed + b"\0", b"", bytes(15), bytes(20)):
        with refused("aead"):
            primitives.unseal(KEY, NONCE, bad, b"associated")
    with refused("aead"):
        primitives.unseal(KEY, NONCE, sealed, b"other")


def test_oaep_opens_for_its_key_and_label_alone() -> None:
    sealed = primitives.oaep_seal(alice().modulus, bytes(32), b"label")
    assert len(sealed) == 384
    assert primitives.oaep_open(alice().private_key, sealed, b"label") == bytes(32)
    for key, bad, label in (
        (alice(), sealed, b"lapel"),
        (alice(), sealed, b""),
        (bob(), sealed, b"label"),
        (alice(), bytes(384), b"label"),
        (alice(), b"\xff" * 384, b"label"),
        (alice(), sealed[1:], b"label"),
        (alice(), b"\0" + sealed, b"label"),
        (alice(), b"", b"label"),
    ):
        with refused("rsa"):
            primitives.oaep_open(key.private_key, bad, label)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_of_another_length_is_refused(length: int) -> None:
    sealed = primitives.oaep_seal(alice().modulus, bytes(length), b"label")
    with refused("rsa"):
        primitives.oaep_open_secret(alice().private_key, sealed, b"label")
