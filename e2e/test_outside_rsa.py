"""PROTOCOL §10.3: node-forge, with RSA in JavaScript, and the page, with Chromium's, open each other's."""

import json

import pytest

from e2e.bundle import FRONTEND
from e2e.suite import Suite
from reference.identity import Identity
from reference.tests.published import Vector

FORGE_KEY = json.loads((FRONTEND / "tests/protocol/vectors/forge-key.json").read_text())["pkcs8"]
LABELS = [b"", b"quarter/1 login", bytes(range(256))]
#: 318 bytes are the most that 3072 bits can hold.
MESSAGES = [bytes(number % 251 for number in range(length)) for length in (0, 1, 32, 318)]
REFUSALS = {"page": "ProtocolError rsa", "forge": "Error: Invalid RSAES-OAEP padding."}


@pytest.fixture(params=["the reference client", "node-forge"])
def key(request: pytest.FixtureRequest) -> bytes:
    """A private key, by its maker."""
    return bytes.fromhex(FORGE_KEY) if request.param == "node-forge" else Identity.generate().pkcs8()


@pytest.mark.parametrize(("sealer", "opener"), [("page", "forge"), ("forge", "page")])
def test_what_one_sealed_the_other_opens_with_its_label_alone(
    cryptography: Suite, key: bytes, sealer: str, opener: str
) -> None:
    modulus = Identity.from_pkcs8(key).modulus
    cases = [
        {"modulus": modulus, "message": message, "label": label} for label in LABELS for message in MESSAGES
    ]
    sealed = [answer["sealed"] for answer in cryptography.gives(sealer, "sealRsa", cases)]
    assert [len(one) for one in sealed] == [384] * 12
    opening = [
        Vector(name, {"pkcs8": key, "sealed": one, "label": case["label"] + more}, wanted)
        for one, case in zip(sealed, cases, strict=True)
        for name, more, wanted in [("its label", b"", {"message": case["message"]}), ("another", b"x", None)]
    ]
    assert cryptography.counts(opener, "openRsa", opening, REFUSALS[opener]) == (12, 12)


def test_a_key_is_the_same_bytes_and_the_same_identity_to_both(cryptography: Suite, key: bytes) -> None:
    rewritten = [Vector("", {"pkcs8": key}, {"pkcs8": key})]
    assert cryptography.counts("forge", "rewrite", rewritten) == (1, 0)
    identity = Identity.from_pkcs8(key)
    imported = [Vector("", {"pkcs8": key}, {"modulus": identity.modulus, "hash": identity.hash})]
    assert cryptography.counts("page", "importIdentity", imported) == (1, 0)
