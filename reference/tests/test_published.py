"""PROTOCOL §10.1: published vectors, run through the reference client's primitives, X-Wing and identities."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache

from reference import kem, primitives
from reference.errors import ProtocolError
from reference.identity import Identity
from reference.tests import published
from reference.tests.published import Answer, Named, Vector

#: Reading a key takes a tenth of a second.
identity = cache(Identity.from_pkcs8)


def counts(vectors: Sequence[Vector], work: Callable[[Named], Named], *refusals: str) -> tuple[int, int]:
    """Runs vectors; how many gave what they must, and how many were refused as they must."""
    return published.tally(vectors, [answer(work, vector.given) for vector in vectors], *refusals)


def answer(work: Callable[[Named], Named], given: Named) -> Answer:
    try:
        return work(given)
    except (ProtocolError, ValueError) as error:
        return f"{type(error).__name__} {error}"


def test_the_x_wing_vectors_are_the_drafts() -> None:
    """Laid out as in the draft, they have the checksum by which others (CIRCL) know its test-vectors.txt."""
    draft = json.loads(published.DRAFT.read_text())
    names = {"seed": "seed", "sk": "seed", "pk": "ek", "eseed": "eseed", "ct": "ct", "ss": "ss"}
    text = "".join(
        "".join(_laid_out(theirs, one[ours]) for theirs, ours in names.items()) + "\n"
        for one in draft["vectors"]
    )
    assert hashlib.shake_128(text.encode()).hexdigest(32) == draft["checksum"]


def _laid_out(name: str, digits: str) -> str:
    if len(digits) == 64:
        return f"{name}     {digits}\n"
    lines = [f"  {digits[at : at + 72]}\n" for at in range(0, len(digits), 72)]
    return f"{name}\n{''.join(lines)}"


def test_only_rsa_keys_of_3072_bits_are_identities() -> None:
    def modulus(given: Named) -> Named:
        return {"modulus": Identity.from_pkcs8(given["pkcs8"]).modulus}

    assert counts(published.rsa_keys(), modulus, "ProtocolError modulus") == (6, 21)


def test_rsa_opens_what_it_must_and_nothing_else() -> None:
    def open_rsa(given: Named) -> Named:
        key = identity(given["pkcs8"]).private_key
        return {"message": primitives.oaep_open(key, given["sealed"], given["label"])}

    assert counts(published.oaep(3072), open_rsa, "ProtocolError rsa") == (21, 19)


def test_what_rsa_seals_opens_again() -> None:
    def seal_and_open(given: Named) -> Named:
        owner = identity(given["pkcs8"])
        sealed = primitives.oaep_seal(owner.modulus, given["message"], given["label"])
        return {"message": primitives.oaep_open(owner.private_key, sealed, given["label"])}

    sealing = [
        Vector(one.name, {**one.given, **one.wanted}, one.wanted)
        for one in published.oaep(3072)
        if one.wanted
    ]
    assert counts(sealing, seal_and_open) == (21, 0)


def test_aead_opens_what_it_must_and_nothing_else() -> None:
    def unseal(given: Named) -> Named:
        return {
            "message": primitives.unseal(given["key"], given["nonce"], given["sealed"], given["associated"])
        }

    assert counts(published.aead(), unseal, "ProtocolError aead") == (39, 27)


def test_aead_seals_to_the_published_bytes() -> None:
    def seal(given: Named) -> Named:
        return {
            "sealed": primitives.seal(given["key"], given["nonce"], given["message"], given["associated"])
        }

    assert counts(published.aead_sealing(), seal) == (39, 0)


def test_hkdf_derives_the_published_bytes() -> None:
    """Three ask for more than HKDF can give. The protocol never does, so that is no ProtocolError."""

    def hkdf(given: Named) -> Named:
        length = int.from_bytes(given["length"])
        return {"okm": primitives.hkdf(given["ikm"], given["salt"], given["info"], length)}

    assert counts(published.hkdf(), hkdf, "ValueError Cannot derive keys larger") == (83, 3)


def test_hmac_and_hash_give_the_published_bytes() -> None:
    def hmac(given: Named) -> Named:
        return {"mac": primitives.hmac_sha256(given["key"], given["message"])}

    def sha256(given: Named) -> Named:
        return {"digest": primitives.sha256(given["message"])}

    assert counts(published.hmac(), hmac) == (6, 0)
    assert counts(published.sha256(), sha256) == (3, 0)


def test_x_wing_makes_the_published_keys_of_the_published_seeds() -> None:
    pairs = published.xwing()
    assert len(pairs) == 5
    assert [kem.ek_of(one.dk) for one in pairs] == [one.ek for one in pairs]


def test_x_wing_opens_the_published_ciphertexts() -> None:
    pairs = published.xwing()
    assert len(pairs) == 5
    assert [kem.decapsulate(one.dk, one.ct) for one in pairs] == [one.ss for one in pairs]


def test_x_wing_refuses_keys_with_overflowing_coefficients_zero_shares_and_wrong_lengths() -> None:
    """132 ML-KEM keys that FIPS 203 refuses, and 31 X25519 keys of low order; all else must do."""

    def encapsulate(given: Named) -> Named:
        ct, ss = kem.encapsulate(given["ek"])
        return {"ct": ct, "ss": ss}

    assert counts(published.xwing_keys(), encapsulate, "ProtocolError kem") == (620, 163)


def test_x_wing_refuses_ciphertexts_with_zero_shares_and_wrong_lengths() -> None:
    def decapsulate(given: Named) -> Named:
        return {"ss": kem.decapsulate(given["dk"], given["ct"])}

    assert counts(published.xwing_ciphertexts(), decapsulate, "ProtocolError kem") == (487, 51)
