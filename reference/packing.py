"""The one MessagePack form of a content's map (PROTOCOL §7).

Shortest forms, members in the order in which they came, keys of a–z and _ that begin with a letter, none
twice; no floats, no extensions, integers within ±(2^53 − 1), text that does not begin with U+FEFF, 4 levels
at most.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from reference.errors import ProtocolError

MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 4

_KEY = re.compile(r"[a-z][a-z_]*", re.ASCII)


def pack(members: Mapping[str, object]) -> bytes:
    """The bytes of a map. Raises ProtocolError `content` for what the form can't hold."""
    if not _fits(members, 1):
        raise ProtocolError("content")
    try:
        return msgspec.msgpack.encode(members)
    except ValueError:  # half of a surrogate pair
        raise ProtocolError("content") from None


def unpack(packed: bytes) -> dict[str, object]:
    """The map of some bytes. Raises ProtocolError `content` for all that `pack` would not have written."""
    try:
        members = msgspec.msgpack.decode(packed)
    except (ValueError, RecursionError):  # ValueError: also what msgspec and UTF-8 raise
        raise ProtocolError("content") from None
    if not isinstance(members, dict) or pack(members) != packed:
        raise ProtocolError("content")
    return members


def _fits(value: object, depth: int) -> bool:
    match value:
        case None | bool() | bytes():
            return True
        case int():
            return -MAX_INTEGER <= value <= MAX_INTEGER
        case str():
            return not value.startswith("\ufeff")
        case list():
            return depth <= MAX_DEPTH and all(_fits(item, depth + 1) for item in value)
        case dict():
            return depth <= MAX_DEPTH and all(
                isinstance(key, str) and _KEY.fullmatch(key) is not None and _fits(item, depth + 1)
                for key, item in value.items()
            )
    return False
