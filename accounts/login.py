"""Login by possession of the private key (docs/PROTOCOL.md §3).

1. `challenge`: 32 random bytes r, sealed to the key under a label that names the page's origin.
2. The browser opens them and answers with HMAC(r, "quarter/1 login proof" ‖ user hash).
3. `answer`: compares. 4. `admit`: creates the identity where it is new, and gives a token.

Of r nothing is kept but a digest of the proof that it demands, bound to the origin. A challenge is taken
out of the table by the attempt to answer it, right or wrong, so of two answers at once only one is looked
at. All that can go wrong is one error, LoginFailed.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts import b64u, identities, keys, tokens
from accounts.errors import LoginFailed
from accounts.models import Challenge

LABEL = b"quarter/1 login"
PROOF_LABEL = b"quarter/1 login proof"
SECRET_BYTES = 32
ID_BYTES = 16
PROOF_BYTES = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge: its id (22 characters) and what only the key's holder can open (384 bytes)."""

    id: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who is in: the user hash and a fresh token (43 characters each)."""

    hash: str
    token: str


def challenge(modulus: bytes, origin: str, now: datetime) -> Asked:
    """Ask the holder of the key with this (checked) modulus for a proof, from a page of this origin."""
    secret = secrets.token_bytes(SECRET_BYTES)
    proof = expected_proof(secret, keys.thumbprint(modulus))
    sealed = _seal(modulus, secret, origin)
    row = Challenge.objects.create(
        id=b64u.encode(secrets.token_bytes(ID_BYTES)),
        modulus=modulus,
        proof_digest=_digest(proof, origin),
        expires_at=now + timedelta(seconds=settings.CHALLENGE_SECONDS),
    )
    return Asked(row.id, sealed)


def answer(challenge_id: str, proof: bytes, origin: str, now: datetime) -> bytes:
    """The modulus whose holder this proof shows, and the challenge is spent; else LoginFailed."""
    asked = _take(challenge_id, now)
    if asked is None or not hmac.compare_digest(bytes(asked.proof_digest), _digest(proof, origin)):
        raise LoginFailed
    return bytes(asked.modulus)


def admit(modulus: bytes, now: datetime) -> Admitted:
    """A token for the holder of this key, whose identity is created or seen again."""
    with transaction.atomic():
        user_hash = identities.meet(modulus, now)
        return Admitted(user_hash, tokens.issue(user_hash, now))


def expected_proof(secret: bytes, user_hash: bytes) -> bytes:
    """What the browser must answer: 32 bytes."""
    return hmac.digest(secret, PROOF_LABEL + user_hash, "sha256")


def forget_expired(now: datetime) -> int:
    """Delete the challenges whose time is over; how many there were."""
    return Challenge.objects.filter(expires_at__lte=now).delete()[0]


def _seal(modulus: bytes, secret: bytes, origin: str) -> bytes:
    return keys.seal(modulus, secret, LABEL + origin.encode("ascii"))


def _digest(proof: bytes, origin: str) -> bytes:
    return hashlib.sha256(proof + origin.encode("ascii")).digest()


def _take(challenge_id: str, now: datetime) -> Challenge | None:
    """The challenge, out of the table for good; None where it is unknown, taken already, or too old."""
    with transaction.atomic():
        asked = Challenge.objects.select_for_update().filter(pk=challenge_id).first()
        if asked is None or not Challenge.objects.filter(pk=challenge_id).delete()[0]:
            return None
    return asked if asked.expires_at > now else None
