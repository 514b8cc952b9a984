"""Bearer tokens: 32 random bytes for the tab, their SHA-256 for the table."""

import hashlib
import secrets
from datetime import datetime

from django.db import connection

from accounts import b64u
from accounts.errors import NotLoggedIn
from accounts.models import Token

TOKEN_BYTES = 32
# A tab logs in again after a reload that lost its token; more than these few are left-overs, and the oldest
# go.
KEPT_PER_IDENTITY = 4


def issue(identity_hash: str, now: datetime) -> str:
    """A new token (43 characters) for an identity that exists.

    Call it within the transaction that made sure of that.
    """
    token = secrets.token_bytes(TOKEN_BYTES)
    Token.objects.create(digest=_digest(token), identity_id=identity_hash, created_at=now)
    kept = (
        Token.objects.filter(identity_id=identity_hash)
        .order_by("-created_at")
        .values("digest")[:KEPT_PER_IDENTITY]
    )
    Token.objects.filter(identity_id=identity_hash).exclude(
        digest__in=list(kept.values_list("digest", flat=True))
    ).delete()
    return b64u.encode(token)


def resolve(token: str) -> str:
    """The identity hash (43 characters) that the token is bound to; else NotLoggedIn."""
    try:
        digest = _digest(b64u.decode(token, TOKEN_BYTES))
    except ValueError as error:
        raise NotLoggedIn from error
    with connection.cursor() as cursor:  # each socket asks this first: what Django would add takes longer
        cursor.execute("SELECT identity_id FROM accounts_token WHERE digest = %s", [digest])
        found = cursor.fetchone()
    if found is None:
        raise NotLoggedIn
    return str(found[0])


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
