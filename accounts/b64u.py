"""Base64url without padding, strict: one value has one text (docs/PROTOCOL.md §2)."""

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode(data: bytes) -> str:
    """`data` as text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str, length: int) -> bytes:
    """The `length` bytes that `text` stands for.

    ValueError for padding, foreign characters, unused bits that are set, or another length.
    """
    if len(text) != -(-length * 4 // 3) or not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url of this length")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(data) != length or encode(data) != text:
        raise ValueError("not canonical base64url")
    return data
