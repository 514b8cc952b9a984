"""An identity: an RSA-3072 key pair whose public key's thumbprint is the user's hash (PROTOCOL §3)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reference import b64u, primitives
from reference.errors import ProtocolError
from reference.primitives import EXPONENT, KEY_BYTES, MODULUS_BYTES, Random

LOGIN_LABEL = b"quarter/1 login"
LOGIN_PROOF = b"quarter/1 login proof"


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody's own key pair: modulus 384 bytes, hash 32 bytes."""

    private_key: rsa.RSAPrivateKey = field(repr=False)
    modulus: bytes = field(repr=False)
    hash: bytes

    @classmethod
    def generate(cls) -> Self:
        """A fresh identity. It takes from a tenth of a second to a few seconds."""
        return cls._of(rsa.generate_private_key(EXPONENT, MODULUS_BYTES * 8))

    @classmethod
    def from_pkcs8(cls, data: bytes) -> Self:
        """The identity of a stored private key (PKCS #8, DER, without a password).

        Raises ValueError for what is no such key, and for a public exponent other than 65537; ProtocolError
        `modulus` for a modulus of another length.
        """
        try:
            key = serialization.load_der_private_key(data, None)
        except (TypeError, UnsupportedAlgorithm) as error:  # TypeError: it has a password
            raise ValueError("not a private RSA key without a password") from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.public_key().public_numbers().e != EXPONENT:
            raise ValueError("not a private RSA key with the exponent 65537")
        return cls._of(key)

    def pkcs8(self) -> bytes:
        """The private key (PKCS #8, DER, without a password: whoever stores it seals it)."""
        return self.private_key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def open(self, ciphertext: bytes, label: bytes) -> bytes:
        """The 32-byte secret that was sealed to this identity. Raises ProtocolError `rsa`."""
        return primitives.oaep_open_secret(self.private_key, ciphertext, label)

    @classmethod
    def _of(cls, key: rsa.RSAPrivateKey) -> Self:
        number = key.public_key().public_numbers().n
        modulus = number.to_bytes((number.bit_length() + 7) // 8)
        check_modulus(modulus)
        return cls(key, modulus, thumbprint(modulus))


def check_modulus(modulus: bytes) -> None:
    """Raise ProtocolError `modulus` for other than 384 bytes, a clear top bit, or an even number."""
    if len(modulus) != MODULUS_BYTES or modulus[0] < 0x80 or modulus[-1] % 2 == 0:
        raise ProtocolError("modulus")


def modulus_from_jwk(jwk: object) -> bytes:
    """The modulus (384 bytes) of a public key that came from elsewhere, decoded from JSON or MessagePack.

    Raises ProtocolError `jwk` for anything but an object of exactly `e`, `kty` and `n` with the one right `e`
    and `kty` and a text as `n`; `base64url` for a text that is none; `modulus` for a number that section 3
    refuses.
    """
    if not isinstance(jwk, Mapping) or jwk.keys() != {"e", "kty", "n"}:
        raise ProtocolError("jwk")
    n = jwk["n"]
    if jwk["kty"] != "RSA" or jwk["e"] != "AQAB" or not isinstance(n, str):
        raise ProtocolError("jwk")
    modulus = b64u.decode(n)
    check_modulus(modulus)
    return modulus


def canonical_jwk(modulus: bytes) -> str:
    """The text that a thumbprint is made of (RFC 7638 §3): the required members, sorted, without blanks."""
    return f'{{"e":"AQAB","kty":"RSA","n":"{b64u.encode(modulus)}"}}'


def thumbprint(modulus: bytes) -> bytes:
    """The user hash (32 bytes) of a modulus."""
    return primitives.sha256(canonical_jwk(modulus).encode("ascii"))


def prove_login(identity: Identity, origin: str, c: bytes, random: Random = os.urandom) -> bytes:
    """The proof (32 bytes) that answers the challenge c (384 bytes) for "scheme://host[:port]".

    A challenge that does not open is answered with a random r, so that the server learns nothing from the
    answer.
    """
    try:
        r = identity.open(c, LOGIN_LABEL + origin.encode("ascii"))
    except ProtocolError:
        r = random(KEY_BYTES)
    return primitives.hmac_sha256(r, LOGIN_PROOF + identity.hash)
