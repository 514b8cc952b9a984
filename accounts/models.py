"""Who there is: identities, the challenges put to them, the tokens they hold.

No name, no address, no user agent. Lengths are held by the database too, so that no row can be what the
rules of `keys` would have refused.
"""

from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import Exact

HASH_CHARS = 43  # SHA-256 in base64url without padding
MODULUS_BYTES = 384  # RSA-3072
DIGEST_BYTES = 32
CHALLENGE_CHARS = 22  # 16 bytes in base64url without padding


def _has_length(field: str, length: int, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Exact(Length(field), length), name=name)


class Identity(models.Model):
    """One user: the RFC 7638 thumbprint of an RSA-3072 key, and the key's modulus.

    All that belongs to a user refers to this row and goes with it.
    """

    hash = models.CharField(primary_key=True, max_length=HASH_CHARS)
    modulus = models.BinaryField(max_length=MODULUS_BYTES)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True, help_text="to the minute")

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            _has_length("hash", HASH_CHARS, "identity_hash_length"),
            _has_length("modulus", MODULUS_BYTES, "identity_modulus_length"),
        ]

    def __str__(self) -> str:
        return self.hash


class Challenge(models.Model):
    """A login that was begun. Deleted by the first attempt to answer it, or when its time is over.

    Holds the key (the identity comes to be at the first login that succeeds) and a digest of the proof that
    is expected: whoever reads the table can't log in with it.
    """

    id = models.CharField(primary_key=True, max_length=CHALLENGE_CHARS)
    modulus = models.BinaryField(max_length=MODULUS_BYTES)
    proof_digest = models.BinaryField(max_length=DIGEST_BYTES)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            _has_length("id", CHALLENGE_CHARS, "challenge_id_length"),
            _has_length("modulus", MODULUS_BYTES, "challenge_modulus_length"),
            _has_length("proof_digest", DIGEST_BYTES, "challenge_proof_digest_length"),
        ]

    def __str__(self) -> str:
        return self.id


class Token(models.Model):
    """A bearer token, as its SHA-256 only. Dies with the identity."""

    digest = models.BinaryField(primary_key=True, max_length=DIGEST_BYTES)
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, related_name="tokens")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [_has_length("digest", DIGEST_BYTES, "token_digest_length")]

    def __str__(self) -> str:
        return "token"
