"""Identities: what a key is, what its hash is, and the login."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa, x25519

from reference import b64u, identity, primitives
from reference.identity import Identity
from reference.tests.people import alice, mallory
from reference.tests.refusal import refused

ORIGIN = "https://quarter.example:8443"

RFC_7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi"
    "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb"
    "9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls"
    "1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """Its section 3.1's key has 2048 bits: no identity of ours, but the same hash."""
    modulus = b64u.decode(RFC_7638_N, 256)
    assert b64u.encode(identity.thumbprint(modulus)) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    with refused("modulus"):
        identity.check_modulus(modulus)


def test_the_canonical_form_is_sorted_and_without_blanks() -> None:
    n = b64u.encode(alice().modulus)
    jwk = {"e": "AQAB", "kty": "RSA", "n": n}
    text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    assert identity.canonical_jwk(alice().modulus) == text
    assert alice().hash == hashlib.sha256(text.encode()).digest()
    assert identity.modulus_from_jwk(jwk) == alice().modulus


def test_two_identities_differ() -> None:
    assert alice().hash != mallory().hash
    assert alice().modulus != mallory().modulus


def test_an_identity_comes_back_from_its_stored_key() -> None:
    again = Identity.from_pkcs8(alice().pkcs8())
    assert (again.modulus, again.hash) == (alice().modulus, alice().hash)
    sealed = primitives.oaep_seal(alice().modulus, bytes(32), b"label")
    assert again.open(sealed, b"label") == bytes(32)


def test_a_stored_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="not a private RSA key"):
        Identity.from_pkcs8(_pkcs8(x25519.X25519PrivateKey.generate()))
    with pytest.raises(ValueError, match="not a private RSA key"):
        Identity.from_pkcs8(_pkcs8(rsa.generate_private_key(3, 3072)))
    with refused("modulus"):
        Identity.from_pkcs8(_pkcs8(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(ValueError, match="password"):
        Identity.from_pkcs8(_pkcs8(alice().private_key, serialization.BestAvailableEncryption(b"password")))
    with pytest.raises(ValueError, match="deserialize"):
        Identity.from_pkcs8(b"")


@pytest.mark.parametrize(
    "modulus",
    [
        b"",
        b"\xff" * 383,
        b"\xff" * 385,
        b"\0" + b"\xff" * 384,
        b"\x7f" + b"\xff" * 383,
        b"\xff" * 383 + b"\xfe",
        bytes(384),
    ],
    ids=["none", "short", "long", "zero in front", "top bit clear", "even", "zero"],
)
def test_a_modulus_of_another_kind_is_refused(modulus: bytes) -> None:
    with refused("modulus"):
        identity.check_modulus(modulus)
    with refused("modulus"):
        identity.modulus_from_jwk({"e": "AQAB", "kty": "RSA", "n": b64u.encode(modulus)})


def test_the_least_and_greatest_moduli_are_taken() -> None:
    identity.check_modulus(b"\x80" + bytes(382) + b"\x01")
    identity.check_modulus(b"\xff" * 384)


N = "_" * 512


@pytest.mark.parametrize(
    ("jwk", "code"),
    [
        (None, "jwk"),
        ([], "jwk"),
        ("", "jwk"),
        ({}, "jwk"),
        ({"kty": "RSA", "n": N}, "jwk"),
        ({"e": "AQAB", "n": N}, "jwk"),
        ({"e": "AQAB", "kty": "RSA"}, "jwk"),
        ({"e": "AQAB", "kty": "RSA", "n": N, "alg": "RSA-OAEP-256"}, "jwk"),
        ({"e": "AQAB", "kty": "rsa", "n": N}, "jwk"),
        ({"e": "AQAB", "kty": "EC", "n": N}, "jwk"),
        ({"e": "AQABAA", "kty": "RSA", "n": N}, "jwk"),
        ({"e": "Aw", "kty": "RSA", "n": N}, "jwk"),
        ({"e": 65537, "kty": "RSA", "n": N}, "jwk"),
        ({"e": "AQAB", "kty": "RSA", "n": 1}, "jwk"),
        ({"e": "AQAB", "kty": "RSA", "n": None}, "jwk"),
        ({"e": "AQAB", "kty": "RSA", "n": b"\xff" * 384}, "jwk"),
        ({"e": "AQAB", "kty": "RSA", "n": N + "="}, "base64url"),
        ({"e": "AQAB", "kty": "RSA", "n": N[1:] + "/"}, "base64url"),
        ({"e": "AQAB", "kty": "RSA", "n": N[4:]}, "modulus"),
        ({"e": "AQAB", "kty": "RSA", "n": ""}, "modulus"),
    ],
)
def test_a_public_key_of_another_shape_is_refused(jwk: object, code: str) -> None:
    with refused(code):
        identity.modulus_from_jwk(jwk)


def test_a_login_is_proved_by_opening() -> None:
    r = bytes(range(32))
    c = primitives.oaep_seal(alice().modulus, r, b"quarter/1 login" + ORIGIN.encode())
    expected = hmac.digest(r, b"quarter/1 login proof" + alice().hash, "sha256")
    assert identity.prove_login(alice(), ORIGIN, c) == expected


@pytest.mark.parametrize("wrong", ["origin", "length", "key", "bytes"])
def test_a_challenge_that_does_not_open_is_answered_at_random(wrong: str) -> None:
    receiver = mallory() if wrong == "key" else alice()
    label = b"quarter/1 login" + (b"https://other.example" if wrong == "origin" else ORIGIN.encode())
    c = primitives.oaep_seal(receiver.modulus, bytes(31 if wrong == "length" else 32), label)
    c = bytes(384) if wrong == "bytes" else c
    proofs = {identity.prove_login(alice(), ORIGIN, c) for _ in range(3)}
    assert len(proofs) == 3
    assert {len(proof) for proof in proofs} == {32}
    drawn = hmac.digest(b"\x07" * 32, b"quarter/1 login proof" + alice().hash, "sha256")
    assert identity.prove_login(alice(), ORIGIN, c, lambda length: b"\x07" * length) == drawn


def test_an_identity_does_not_print_its_key() -> None:
    assert "private_key" not in repr(alice())


def _pkcs8(
    key: rsa.RSAPrivateKey | x25519.X25519PrivateKey,
    encryption: serialization.KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        encryption or serialization.NoEncryption(),
    )
