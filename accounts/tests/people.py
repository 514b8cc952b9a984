"""Alice, Bob and Mallory, each with a key of their own, as a browser would hold it."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from accounts import b64u, keys

ORIGIN = "http://localhost:8000"
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """A name, and the private key behind it."""

    name: str
    key: rsa.RSAPrivateKey

    @property
    def modulus(self) -> bytes:
        return self.key.public_key().public_numbers().n.to_bytes(384, "big")

    @property
    def jwk(self) -> dict[str, str]:
        return {"kty": "RSA", "e": "AQAB", "n": b64u.encode(self.modulus)}

    @property
    def hash(self) -> str:
        return b64u.encode(keys.thumbprint(self.modulus))

    def prove(self, sealed: bytes, origin: str = ORIGIN) -> bytes:
        """PROTOCOL §3: open the challenge, or take random bytes where it does not open."""
        sha = hashes.SHA256()
        oaep = padding.OAEP(padding.MGF1(sha), sha, b"quarter/1 login" + origin.encode())
        try:
            secret = self.key.decrypt(sealed, oaep)
        except ValueError:
            secret = secrets.token_bytes(32)
        return hmac.digest(secret, b"quarter/1 login proof" + b64u.decode(self.hash, 32), "sha256")


@cache
def person(name: str) -> Person:
    """The person of this name; the key is made once in a test run."""
    return Person(name, rsa.generate_private_key(65537, 3072))
