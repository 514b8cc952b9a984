"""Which keys are users (PROTOCOL §3)."""

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from accounts import b64u, keys
from accounts.errors import BadKey
from accounts.tests.people import Person


def test_a_key_of_3072_bits_is_a_user(alice: Person) -> None:
    assert keys.modulus_of(alice.jwk) == alice.modulus


def test_the_hash_is_the_thumbprint_of_the_canonical_form(alice: Person) -> None:
    canonical = json.dumps(alice.jwk, sort_keys=True, separators=(",", ":")).encode()
    assert keys.thumbprint(alice.modulus) == hashlib.sha256(canonical).digest()


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    # The example of RFC 7638 §3.1; its key has 2048 bits, and would not be a user here.
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n"
        "3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgd"
        "AZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur"
        "-kEgU8awapJzKnqDKgw"
    )
    assert b64u.encode(keys.thumbprint(b64u.decode(n, 256))) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_only_the_holder_of_the_key_opens_what_was_sealed_to_it(alice: Person, mallory: Person) -> None:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"label")
    sealed = keys.seal(alice.modulus, b"secret", b"label")
    assert alice.key.decrypt(sealed, oaep) == b"secret"
    with pytest.raises(ValueError, match=r"[Dd]ecryption"):
        mallory.key.decrypt(sealed, oaep)


def _with_n(modulus: bytes) -> dict[str, str]:
    return {"kty": "RSA", "e": "AQAB", "n": b64u.encode(modulus)}


@pytest.mark.parametrize(
    "changed",
    [
        {"kty": "EC"},
        {"kty": "rsa"},
        {"e": "AQABAA"},
        {"e": "Aw"},
        {"e": "AAEAAQ"},
        {"e": 65537},
        {"n": None},
        {"n": 3},
        {"n": ["A"]},
        {"alg": "RSA-OAEP-256"},
        {"ext": True},
        {"key_ops": []},
        {"d": "AQAB"},
    ],
)
def test_another_member_or_value_is_refused(alice: Person, changed: dict[str, Any]) -> None:
    with pytest.raises(BadKey):
        keys.modulus_of({**alice.jwk, **changed})


@pytest.mark.parametrize("missing", ["kty", "e", "n"])
def test_a_missing_member_is_refused(alice: Person, missing: str) -> None:
    with pytest.raises(BadKey):
        keys.modulus_of({name: value for name, value in alice.jwk.items() if name != missing})


@pytest.mark.parametrize("what", [None, [], "key", 3, {}])
def test_what_is_no_key_at_all_is_refused(what: object) -> None:
    with pytest.raises(BadKey):
        keys.modulus_of(what)


@pytest.mark.parametrize(
    "modulus",
    [
        b"",
        b"\x80" + bytes(254) + b"\x01",  # 2048 bits
        b"\x80" + bytes(510) + b"\x01",  # 4096 bits
        b"\x00\x80" + bytes(382) + b"\x01",  # a zero in front
        b"\x80" + bytes(381) + b"\x01",  # a byte short
        b"\x7f" + bytes(382) + b"\x01",  # the top bit is not set
        b"\x80" + bytes(382) + b"\x02",  # even
    ],
)
def test_another_size_or_an_even_modulus_is_refused(modulus: bytes) -> None:
    with pytest.raises(BadKey):
        keys.modulus_of(_with_n(modulus))
    with pytest.raises(BadKey):
        keys.check_modulus(modulus)


@pytest.mark.parametrize(
    "spoil", [lambda n: n + "=", lambda n: n[:-1] + "+", lambda n: n + "\n", lambda n: " " + n]
)
def test_another_spelling_of_the_modulus_is_refused(alice: Person, spoil: Any) -> None:
    with pytest.raises(BadKey):
        keys.modulus_of({**alice.jwk, "n": spoil(alice.jwk["n"])})


def test_a_refused_key_is_never_computed_with(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "hashlib", None)
    monkeypatch.setattr(keys, "rsa", None)
    with pytest.raises(BadKey):
        keys.modulus_of({**alice.jwk, "alg": "RSA-OAEP-256"})
