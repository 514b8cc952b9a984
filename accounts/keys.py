"""Which public keys are users, and what they are called (docs/PROTOCOL.md §3).

A key is refused before anything is computed with it. Everything is computed from the modulus's bytes, never
from the JWK that came in.
"""

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from accounts import b64u
from accounts.errors import BadKey
from accounts.models import MODULUS_BYTES

EXPONENT = 65537
EXPONENT_TEXT = "AQAB"


def modulus_of(key: object) -> bytes:
    """The 384-byte modulus of a JWK (RFC 7517) that has the members kty, e, n and no other; else BadKey."""
    if not isinstance(key, dict) or set(key) != {"kty", "e", "n"}:
        raise BadKey
    if key["kty"] != "RSA" or key["e"] != EXPONENT_TEXT or not isinstance(key["n"], str):
        raise BadKey
    try:
        modulus = b64u.decode(key["n"], MODULUS_BYTES)
    except ValueError as error:
        raise BadKey from error
    return check_modulus(modulus)


def check_modulus(modulus: bytes) -> bytes:
    """`modulus` itself: exactly 384 bytes, top bit set, odd; else BadKey."""
    if len(modulus) != MODULUS_BYTES or not modulus[0] & 0x80 or not modulus[-1] & 1:
        raise BadKey
    return modulus


def thumbprint(modulus: bytes) -> bytes:
    """The 32-byte user hash: SHA-256 over the key's canonical form (RFC 7638 §3)."""
    canonical = f'{{"e":"{EXPONENT_TEXT}","kty":"RSA","n":"{b64u.encode(modulus)}"}}'
    return hashlib.sha256(canonical.encode("ascii")).digest()


def seal(modulus: bytes, message: bytes, label: bytes) -> bytes:
    """`message` sealed to the key: 384 bytes of RSA-OAEP, SHA-256 and MGF1-SHA-256 (RFC 8017 §7.1)."""
    key = rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(modulus, "big")).public_key()
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=label)
    return key.encrypt(message, oaep)
