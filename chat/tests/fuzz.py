"""Frames to fuzz with, derived from the types of chat/wire.py: a kind that is added there is fuzzed too.

`frames` are true to the wire, `spoiled` ones have one thing wrong. A frame is built as a plain map and packed
by `pack`, which can also write what no encoder would.
"""

import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import inspect

from chat import wire

Map = dict[Any, Any]
Override = Callable[[str, Any], SearchStrategy[Any] | None]

DEEP = 10_000
UNKNOWN = "A" * 43


@dataclass(frozen=True)
class Raw:
    """Bytes that are packed as they stand."""

    data: bytes


NONSENSE = {
    "an extension": Raw(b"\xd4\x05\x00"),
    "a timestamp": msgspec.msgpack.Ext(-1, bytes(8)),
    "an unused byte": Raw(b"\xc1"),
    "bytes without end": Raw(b"\xc6\xff\xff\xff\xff"),
    "a text without end": Raw(b"\xdb\xff\xff\xff\xff"),
    "a list without end": Raw(b"\xdd\xff\xff\xff\xff"),
    "a map without end": Raw(b"\xdf\xff\xff\xff\xff"),
    "an extension without end": Raw(b"\xc9\xff\xff\xff\xff\x01"),
    "no UTF-8": Raw(b"\xa2\xff\xfe"),
    "half of a pair": Raw(b"\xa3\xed\xa0\x80"),
    "a deep list": Raw(b"\x91" * DEEP + b"\xc0"),
    "a deep map": Raw(b"\x81\xa1a" * DEEP + b"\xc0"),
    "no number": math.nan,
    "more than any number": math.inf,
    "the greatest number": 2**64 - 1,
    "the least number": -(2**63),
}


def kinds(socket: str, side: str = "page") -> list[inspect.StructType]:
    """The frames that this side may send on this socket."""
    return [_struct(kind) for kind in get_args(wire.SOCKETS[socket, side])]


def _struct(kind: type) -> inspect.StructType:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described


# --- what is true to the wire ---------------------------------------------------------------------


def frames(kind: inspect.StructType, override: Override = lambda name, type: None) -> SearchStrategy[Map]:
    """Frames of this kind; `override` may give other strategies for the values of some members."""
    members: dict[str, SearchStrategy[Any]] = {"t": st.just(kind.tag)}
    for field in kind.fields:
        given = override(field.encode_name, field.type)
        members[field.encode_name] = values(field.type) if given is None else given
    return st.fixed_dictionaries(members)


def values(kind: inspect.Type) -> SearchStrategy[Any]:
    """Values of a member's type, its edges often among them."""
    match kind:
        case inspect.Metadata():
            return values(kind.type)
        case inspect.IntType():
            low, high = kind.ge or 0, kind.le or 2**32 - 1
            return st.sampled_from([low, high]) | st.integers(low, high)
        case inspect.StrType():
            assert kind.pattern is not None, "a text of a frame has a pattern"
            return st.from_regex(kind.pattern, fullmatch=True)
        case inspect.BytesType():
            low = kind.min_length or 0
            return st.binary(min_size=low, max_size=kind.max_length or low + 300)
        case inspect.LiteralType():
            return st.sampled_from(list(kind.values))
        case inspect.DictType():
            return st.dictionaries(values(kind.key_type), values(kind.value_type), max_size=3)
    raise AssertionError(f"the wire has a type that is not fuzzed: {kind}")


# --- what is not ----------------------------------------------------------------------------------


def spoiled(socket: str) -> SearchStrategy[bytes]:
    """A frame of this socket with one thing wrong, as bytes."""
    return st.sampled_from(kinds(socket)).flatmap(lambda kind: frames(kind).flatmap(partial(_spoil, kind)))


def _spoil(kind: inspect.StructType, frame: Map) -> SearchStrategy[bytes]:
    members = [field.encode_name for field in kind.fields]
    ways = [
        st.sampled_from([*members, "t"]).map(lambda name: pack(_without(frame, name))),
        _wrong_member(kind, frame) if members else st.nothing(),
        st.sampled_from(list(NONSENSE)).map(lambda what: pack({**frame, "more": NONSENSE[what]})),
        st.sampled_from(["", "more", "T", "Id", "t\0"]).map(lambda name: pack({**frame, name: 1})),
        st.sampled_from([1, None, b"t", Raw(b"\xd4\x05\x00")]).map(lambda key: pack({**frame, key: 1})),
        _other_tags(kind).map(lambda tag: pack({**frame, "t": tag})),
        st.integers(0, len(pack(frame)) - 1).map(lambda end: pack(frame)[:end]),
        st.binary(min_size=1, max_size=40).map(lambda more: pack(frame) + more),
        st.sampled_from([pack([frame]), pack(list(frame.values())), pack(pack(frame)), pack(str(frame))]),
    ]
    return st.one_of(ways)


def _wrong_member(kind: inspect.StructType, frame: Map) -> SearchStrategy[bytes]:
    wrongs = [(field.encode_name, wrong) for field in kind.fields for wrong in wrong_values(field.type)]
    return st.sampled_from(wrongs).map(lambda pair: pack({**frame, pair[0]: pair[1]}))


def wrong_values(kind: inspect.Type) -> Iterator[Any]:
    """Values that this type refuses."""
    kind = kind.type if isinstance(kind, inspect.Metadata) else kind
    yield from NONSENSE.values()
    yield from (None, True, [], -1, 1.5, [[]])
    yield from {
        inspect.IntType: ("1", b"1", {}, 2**32, -1, {"id": 1}),
        inspect.StrType: (
            "",
            UNKNOWN[1:],
            UNKNOWN + "A",
            UNKNOWN[1:] + "\n",
            UNKNOWN[1:] + "B",
            b"A" * 43,
            1,
        ),
        inspect.BytesType: (b"", "text", 1, {}),
        inspect.LiteralType: ("", "Left", b"left", 1, {}),
        inspect.DictType: (
            {UNKNOWN: -1},
            {UNKNOWN: 2**32},
            {UNKNOWN: None},
            {"": 1},
            {1: 1},
            {f"{number:042}A": 1 for number in range(65)},
            "text",
        ),
    }[type(kind)]


def _other_tags(kind: inspect.StructType) -> SearchStrategy[Any]:
    """Tags that this socket does not have; those of the server and of the other socket are among them."""
    everybody = {str(each.tag) for socket, side in wire.SOCKETS for each in kinds(socket, side)}
    ours = {name for name in ("send", "receive") if kind in kinds(name)}
    mine = {str(each.tag) for name in ours for each in kinds(name)}
    return st.sampled_from(
        [*sorted(everybody - mine), "", "Hello", "websocket.close", b"hello", 1, None, True]
    )


def _without(frame: Map, name: str) -> Map:
    return {key: value for key, value in frame.items() if key != name}


def junk() -> SearchStrategy[bytes]:
    """Bytes, and MessagePack that is no frame."""
    leaves = (
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary()
    )
    nested = st.recursive(
        leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
    )
    return st.binary(max_size=300) | nested.map(pack)


# --- MessagePack by hand --------------------------------------------------------------------------


def pack(value: Any, wide: bool = False) -> bytes:
    """MessagePack; `wide` writes each length and number in the longest form that there is."""
    match value:
        case Raw(data):
            return data
        case dict():
            pairs = ((key, item) for key, item in value.items())
            return pack_pairs(list(pairs), wide)
        case list():
            head = (
                b"\xdd" + struct.pack(">I", len(value))
                if wide or len(value) > 15
                else bytes([0x90 + len(value)])
            )
            return head + b"".join(pack(item, wide) for item in value)
        case bytes() if wide:
            return b"\xc6" + struct.pack(">I", len(value)) + value
        case str() if wide:
            return b"\xdb" + struct.pack(">I", len(value.encode())) + value.encode()
        case int() if wide and not isinstance(value, bool) and value >= 0:
            return b"\xcf" + struct.pack(">Q", value)
        case _:
            return msgspec.msgpack.encode(value)


def pack_pairs(pairs: list[tuple[Any, Any]], wide: bool = False) -> bytes:
    """A map of these members, in this order, though one may stand twice."""
    head = b"\xdf" + struct.pack(">I", len(pairs)) if wide or len(pairs) > 15 else bytes([0x80 + len(pairs)])
    return head + b"".join(pack(key, wide) + pack(item, wide) for key, item in pairs)
