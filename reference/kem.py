"""X-Wing: ML-KEM-768 and X25519 as one KEM (draft-connolly-cfrg-xwing-kem-10).

    dk = 32-byte seed         SHAKE256(dk, 96) = ML-KEM seed (64) ‖ X25519 private key (32)
    ek = pk_M ‖ pk_X          1184 + 32 bytes
    ct = ct_M ‖ ct_X          1088 + 32 bytes
    ss = SHA3-256(ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ label)

M is ML-KEM-768 (FIPS 203), X is X25519 (RFC 7748).
"""

import os
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from reference.errors import ProtocolError
from reference.primitives import Random

EK_BYTES: Final = 1216
CT_BYTES: Final = 1120
DK_BYTES: Final = 32
SS_BYTES: Final = 32
LABEL: Final = b"\\.//^\\"

_X25519_BYTES: Final = 32


def generate(random: Random = os.urandom) -> tuple[bytes, bytes]:
    """A fresh pair: ek (1216 bytes) and dk (32 bytes, the seed)."""
    dk = random(DK_BYTES)
    return ek_of(dk), dk


def ek_of(dk: bytes) -> bytes:
    """The encapsulation key (1216 bytes) of a seed (32 bytes). ProtocolError `kem`: another length."""
    key_m, key_x = _expand(dk)
    return key_m.public_key().public_bytes_raw() + key_x.public_key().public_bytes_raw()


def encapsulate(ek: bytes) -> tuple[bytes, bytes]:
    """A fresh ciphertext (1120 bytes) to a key (1216 bytes), and the shared secret (32 bytes) in it.

    Raises ProtocolError `kem` for another length, an ML-KEM coefficient of q or more (FIPS 203 §7.2), and an
    X25519 share that gives zero (RFC 7748 §6.1).
    """
    pk_m, pk_x = _split(ek, EK_BYTES)
    ephemeral = x25519.X25519PrivateKey.generate()
    ct_x = ephemeral.public_key().public_bytes_raw()
    try:
        ss_m, ct_m = mlkem.MLKEM768PublicKey.from_public_bytes(pk_m).encapsulate()
    except ValueError:
        raise ProtocolError("kem") from None
    return ct_m + ct_x, _combine(ss_m, _exchange(ephemeral, pk_x), ct_x, pk_x)


def decapsulate(dk: bytes, ct: bytes) -> bytes:
    """The shared secret (32 bytes) in a ciphertext (1120 bytes) to the key of a seed (32 bytes).

    A changed ciphertext gives another secret (ML-KEM's implicit rejection), not an error. Raises
    ProtocolError `kem` for another length and an X25519 share that gives zero.
    """
    ct_m, ct_x = _split(ct, CT_BYTES)
    key_m, key_x = _expand(dk)
    ss_m = key_m.decapsulate(ct_m)
    return _combine(ss_m, _exchange(key_x, ct_x), ct_x, key_x.public_key().public_bytes_raw())


def _expand(dk: bytes) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
    if len(dk) != DK_BYTES:
        raise ProtocolError("kem")
    expanded = _digest(hashes.SHAKE256(96), dk)
    return (
        mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
        x25519.X25519PrivateKey.from_private_bytes(expanded[64:]),
    )


def _split(joined: bytes, length: int) -> tuple[bytes, bytes]:
    """The ML-KEM part and the X25519 part of a key or ciphertext."""
    if len(joined) != length:
        raise ProtocolError("kem")
    return joined[:-_X25519_BYTES], joined[-_X25519_BYTES:]


def _exchange(key: x25519.X25519PrivateKey, share: bytes) -> bytes:
    try:
        return key.exchange(x25519.X25519PublicKey.from_public_bytes(share))
    except ValueError:  # the all-zero secret
        raise ProtocolError("kem") from None


def _combine(ss_m: bytes, ss_x: bytes, ct_x: bytes, pk_x: bytes) -> bytes:
    return _digest(hashes.SHA3_256(), ss_m + ss_x + ct_x + pk_x + LABEL)


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()
