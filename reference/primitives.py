"""The primitives of PROTOCOL §2, each in the one shape that the protocol uses, by `cryptography`."""

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from reference.errors import ProtocolError

Random = Callable[[int], bytes]
"""A source of so many random bytes. It is os.urandom everywhere but in a test that wants to know them."""

HASH_BYTES: Final = 32
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MODULUS_BYTES: Final = 384
EXPONENT: Final = 65537


def sha256(data: bytes) -> bytes:
    """H: 32 bytes (FIPS 180-4)."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC: 32 bytes (RFC 2104)."""
    return _hmac(key, data).finalize()


def hmac_verifies(key: bytes, data: bytes, mac: bytes) -> bool:
    """Whether `mac` is the HMAC of the data; compared in constant time."""
    try:
        _hmac(key, data).verify(mac)
    except InvalidSignature:
        return False
    return True


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869); an empty salt is that RFC's, 32 zero bytes."""
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(ikm)


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """AES-256-GCM (SP 800-38D): the ciphertext with its tag, 16 bytes longer than the plaintext."""
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def unseal(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext of `seal`. Raises ProtocolError `aead`."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError):
        raise ProtocolError("aead") from None


def oaep_seal(modulus: bytes, plaintext: bytes, label: bytes) -> bytes:
    """RSA-OAEP to the key of a modulus (384 bytes, checked before): 384 bytes (RFC 8017 §7.1.1)."""
    numbers = rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(modulus))
    return numbers.public_key().encrypt(plaintext, _oaep(label))


def oaep_open(key: rsa.RSAPrivateKey, ciphertext: bytes, label: bytes) -> bytes:
    """The plaintext of `oaep_seal`, 0 to 318 bytes (RFC 8017 §7.1.2). Raises ProtocolError `rsa`."""
    try:
        return key.decrypt(ciphertext, _oaep(label))
    except ValueError:
        raise ProtocolError("rsa") from None


def oaep_open_secret(key: rsa.RSAPrivateKey, ciphertext: bytes, label: bytes) -> bytes:
    """The 32 bytes of a secret sealed with `oaep_seal`. ProtocolError `rsa`, for another length too."""
    secret = oaep_open(key, ciphertext, label)
    if len(secret) != KEY_BYTES:
        raise ProtocolError("rsa")
    return secret


def _hmac(key: bytes, data: bytes) -> hmac.HMAC:
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(data)
    return mac


def _oaep(label: bytes) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=label)
