"""PROTOCOL §10.1: published vectors, run in Chromium through the very functions that the page uses.

Its primitives are WebCrypto's. Its X-Wing is the browser's own (`chosenKem`), or the library's where there is
none or it can't be trusted (`portableKem`): the vectors of X-Wing run through both. Those of its two parts
run through the library's parts. Nobody can reach into the browser's, so its ML-KEM-768 and its X25519 stand
for them; and whole keys and ciphertexts with such a part in them go through both X-Wings besides.
"""

from functools import cache

import pytest

from e2e.suite import Suite
from reference import kem, primitives
from reference.identity import Identity
from reference.tests import published
from reference.tests.published import Vector

KEMS = ["chosenKem", "portableKem"]
PARTS = ["browserParts", "libraryParts"]

#: Reading a key takes the reference client a tenth of a second.
identity = cache(Identity.from_pkcs8)

#: How the browser, and how the library, refuses what is no error of ours yet.
FOREIGN = {
    "browserParts": ("OperationError", "DataError", "RangeError: "),
    "libraryParts": ("RangeError: ", "Error: ML-KEM", "Error: invalid"),
}


def test_the_page_chooses_the_browsers_own_kem(cryptography: Suite) -> None:
    names = [cryptography.gives(xwing, "name", [{}]) for xwing in KEMS]
    assert names == [[{"name": b"webcrypto"}], [{"name": b"noble"}]]


def test_only_rsa_keys_of_3072_bits_are_identities(cryptography: Suite) -> None:
    keys = published.rsa_keys()
    assert cryptography.counts("page", "importIdentity", keys, "ProtocolError identity") == (6, 21)


def test_rsa_opens_what_it_must_and_nothing_else(cryptography: Suite) -> None:
    assert cryptography.counts("page", "openRsa", published.oaep(3072), "ProtocolError rsa") == (21, 19)


@pytest.mark.parametrize(
    ("bits", "counts"),
    [
        (1024, (3, 0)),
        (1536, (3, 0)),
        (2048, (21, 19)),
        (2688, (9, 0)),
        (4032, (7, 0)),
        (4096, (21, 19)),
        (8192, (3, 0)),
    ],
)
def test_rsa_opens_with_keys_of_other_lengths_too(
    cryptography: Suite, bits: int, counts: tuple[int, int]
) -> None:
    vectors = published.oaep(bits)
    assert cryptography.counts("page", "openRsaOfAnyLength", vectors, "ProtocolError rsa") == counts


def test_what_rsa_seals_opens_in_the_reference_client(cryptography: Suite) -> None:
    opening = [vector for vector in published.oaep(3072) if vector.wanted]
    owners = [identity(vector.given["pkcs8"]) for vector in opening]
    cases = [
        {"modulus": owner.modulus, "label": vector.given["label"], **(vector.wanted or {})}
        for vector, owner in zip(opening, owners, strict=True)
    ]
    answers = cryptography.gives("page", "sealRsa", cases)
    assert len(answers) == 21
    for answer, case, owner in zip(answers, cases, owners, strict=True):
        opened = primitives.oaep_open(owner.private_key, answer["sealed"], case["label"])
        assert opened == case["message"]


def test_aead_opens_what_it_must_and_nothing_else(cryptography: Suite) -> None:
    assert cryptography.counts("page", "openAead", published.aead(), "ProtocolError aead") == (39, 27)


def test_aead_seals_to_the_published_bytes(cryptography: Suite) -> None:
    assert cryptography.counts("page", "sealAead", published.aead_sealing()) == (39, 0)


def test_hkdf_derives_the_published_bytes(cryptography: Suite) -> None:
    """Three ask for more than HKDF can give. The protocol never does, so that is no ProtocolError."""
    assert cryptography.counts("page", "hkdf", published.hkdf(), "OperationError") == (83, 3)


def test_hmac_and_hash_give_the_published_bytes(cryptography: Suite) -> None:
    assert cryptography.counts("page", "hmac", published.hmac()) == (6, 0)
    assert cryptography.counts("page", "hash", published.sha256()) == (3, 0)


@pytest.mark.parametrize("xwing", KEMS)
def test_x_wing_makes_the_published_keys_of_the_published_seeds(cryptography: Suite, xwing: str) -> None:
    vectors = [Vector(one.name, {"coins": one.dk}, {"ek": one.ek, "dk": one.dk}) for one in published.xwing()]
    assert cryptography.counts(xwing, "generate", vectors) == (5, 0)


@pytest.mark.parametrize("xwing", KEMS)
def test_x_wing_opens_the_published_ciphertexts(cryptography: Suite, xwing: str) -> None:
    vectors = [Vector(one.name, {"dk": one.dk, "ct": one.ct}, {"ss": one.ss}) for one in published.xwing()]
    assert cryptography.counts(xwing, "decapsulate", vectors) == (5, 0)


def test_the_fallback_x_wing_makes_the_published_ciphertexts_of_the_published_coins(
    cryptography: Suite,
) -> None:
    vectors = [
        Vector(one.name, {"ek": one.ek, "coins": one.coins}, {"ct": one.ct, "ss": one.ss})
        for one in published.xwing()
    ]
    assert cryptography.counts("portableKem", "encapsulateWithCoins", vectors) == (5, 0)


@pytest.mark.parametrize(("sealer", "opener"), [KEMS, KEMS[::-1]])
def test_what_one_x_wing_seals_to_a_published_key_the_other_opens(
    cryptography: Suite, sealer: str, opener: str
) -> None:
    """No browser takes coins from outside: this is how its encapsulation is held against the vectors."""
    pairs = published.xwing()
    answers = cryptography.gives(sealer, "encapsulate", [{"ek": one.ek} for one in pairs])
    opening = [
        Vector(one.name, {"dk": one.dk, "ct": answer["ct"]}, {"ss": answer["ss"]})
        for one, answer in zip(pairs, answers, strict=True)
    ]
    assert cryptography.counts(opener, "decapsulate", opening) == (5, 0)


@pytest.mark.parametrize("xwing", KEMS)
def test_x_wing_refuses_keys_with_overflowing_coefficients_zero_shares_and_wrong_lengths(
    cryptography: Suite, xwing: str
) -> None:
    """132 ML-KEM keys that FIPS 203 refuses, and 31 X25519 keys of low order; all else must do."""
    vectors = published.xwing_keys()
    assert cryptography.counts(xwing, "encapsulate", vectors, "ProtocolError kem") == (620, 163)


@pytest.mark.parametrize("xwing", KEMS)
def test_x_wing_refuses_ciphertexts_with_zero_shares_and_wrong_lengths(
    cryptography: Suite, xwing: str
) -> None:
    vectors = published.xwing_ciphertexts()
    assert cryptography.counts(xwing, "decapsulate", vectors, "ProtocolError kem") == (487, 51)


def test_both_x_wings_and_the_reference_client_open_odd_shares_to_the_same_secrets(
    cryptography: Suite,
) -> None:
    odd = [vector.given for vector in published.xwing_ciphertexts() if vector.wanted is not None]
    chosen, portable = (cryptography.gives(xwing, "decapsulate", odd) for xwing in KEMS)
    assert len(chosen) == 487
    assert chosen == portable
    assert portable == [{"ss": kem.decapsulate(given["dk"], given["ct"])} for given in odd]


@pytest.mark.parametrize("parts", PARTS)
def test_x25519_gives_the_published_secrets_and_refuses_zero(cryptography: Suite, parts: str) -> None:
    assert cryptography.counts(parts, "x25519", published.x25519(), *FOREIGN[parts]) == (487, 31)


def test_ml_kem_makes_the_published_keys_of_the_published_seeds(cryptography: Suite) -> None:
    """The browser does not show its expanded keys."""
    assert cryptography.counts("libraryParts", "mlKemKeygen", published.mlkem_keygen()) == (100, 0)
    assert cryptography.counts("browserParts", "mlKemKeygen", published.mlkem_public_keys()) == (100, 0)


@pytest.mark.parametrize("parts", PARTS)
def test_ml_kem_opens_the_published_ciphertexts(cryptography: Suite, parts: str) -> None:
    vectors = published.mlkem_decapsulate()
    assert cryptography.counts(parts, "mlKemDecapsulate", vectors, *FOREIGN[parts]) == (161, 40)


def test_the_librarys_ml_kem_opens_with_expanded_keys_and_refuses_broken_ones(cryptography: Suite) -> None:
    """The browser takes seeds only, and so does X-Wing."""
    vectors = published.mlkem_decapsulate_expanded()
    counts = cryptography.counts(
        "libraryParts", "mlKemDecapsulateExpanded", vectors, *FOREIGN["libraryParts"]
    )
    assert counts == (3, 6)


def test_the_librarys_ml_kem_makes_the_published_ciphertexts(cryptography: Suite) -> None:
    vectors = published.mlkem_encapsulate()
    counts = cryptography.counts("libraryParts", "mlKemEncapsulate", vectors, *FOREIGN["libraryParts"])
    assert counts == (133, 132)


def test_the_browsers_ml_kem_seals_to_the_published_keys_and_refuses_the_rest(cryptography: Suite) -> None:
    vectors = published.mlkem_encapsulation_keys()
    counts = cryptography.counts("browserParts", "mlKemEncapsulate", vectors, *FOREIGN["browserParts"])
    assert counts == (133, 132)


def test_what_the_browsers_ml_kem_seals_the_librarys_opens(cryptography: Suite) -> None:
    public = published.mlkem_public_keys()
    answers = cryptography.gives("browserParts", "mlKemEncapsulate", [one.wanted or {} for one in public])
    opening = [
        Vector(one.name, {**one.given, "ct": answer["ct"]}, {"ss": answer["ss"]})
        for one, answer in zip(public, answers, strict=True)
    ]
    assert cryptography.counts("libraryParts", "mlKemDecapsulate", opening) == (100, 0)
