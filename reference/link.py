"""Invite links, and the other texts that name somebody to talk to (PROTOCOL §4).

    https://host/#<user hash>.<secret>      an invite link
    https://host/#<user hash>               the address for a request

Hash and secret are b64u.
"""

import os
import re
from dataclasses import dataclass, field
from typing import Final

from reference import b64u
from reference.errors import ProtocolError
from reference.primitives import HASH_BYTES, Random

SECRET_BYTES: Final = 16

_SPACE: Final = dict.fromkeys(map(ord, "\t\n\r \u00a0"))
_FORM: Final = re.compile(r"(?:(?:https?://[^#]+)?#)?([\w-]{43})(?:\.([\w-]{22}))?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """Whom to talk to: the owner's hash (32 bytes), and the link's secret (16 bytes) where there is one."""

    hash: bytes
    secret: bytes | None = field(repr=False)


def make_secret(random: Random = os.urandom) -> bytes:
    """A fresh secret for a link: 16 bytes."""
    return random(SECRET_BYTES)


def format_link(origin: str, hash: bytes, secret: bytes | None) -> str:
    """The link of an owner at "scheme://host[:port]"; without a secret, the address for a request."""
    return f"{origin}/#{b64u.encode(hash)}" + ("" if secret is None else f".{b64u.encode(secret)}")


def parse_address(text: str) -> Address:
    """Whom a text names: a whole link, its fragment, or a hash, each with or without a secret.

    Tabs, line ends, spaces and no-break spaces are ignored wherever they stand: texts are broken and indented
    on their way. Raises ProtocolError `address` for anything else; a secret that is there but wrong is never
    dropped, as that would make a request.
    """
    match = _FORM.fullmatch(text.translate(_SPACE))
    if match is None:
        raise ProtocolError("address")
    hash, secret = match.groups()
    try:
        return Address(b64u.decode(hash, HASH_BYTES), b64u.decode(secret, SECRET_BYTES) if secret else None)
    except ProtocolError:
        raise ProtocolError("address") from None
