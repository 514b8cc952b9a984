"""base64url without padding, in its one canonical spelling (PROTOCOL §2)."""

import base64
import re

from reference.errors import ProtocolError

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode(data: bytes) -> str:
    """The text of some bytes: 43 characters for a hash or session id, 22 for a secret (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str, length: int | None = None) -> bytes:
    """The bytes of a text.

    Raises ProtocolError `base64url` for padding, foreign characters, a last character with unused bits set,
    and, where `length` is given, for another number of bytes.
    """
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise ProtocolError("base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text or length not in (None, len(data)):
        raise ProtocolError("base64url")
    return data
