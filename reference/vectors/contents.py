"""Frames of contents that are read, and of contents that are not (PROTOCOL §7)."""

import json
from collections.abc import Iterator, Mapping

import msgspec

from reference import content, padding
from reference.content import Ack, Bye, Hello, Name, Sendable, Text, Timer, Typing

ACK: Mapping[str, object] = {"t": "ack", "at": 5, "seen": 2}
TEXT: Mapping[str, object] = {"t": "text", "at": 5, "seen": 2, "text": "hi"}

READABLE: tuple[Sendable, ...] = (
    Hello(0, 0),
    Ack(2**53 - 1, 2**32 - 1),
    Bye(5, 2),
    Text(5, 2, text=""),
    Text(5, 2, text="a\ufeff\0\U0010ffff\uffff"),
    Text(5, 2, text="hi", reply=Name(0, 2**32 - 1)),
    Text(5, 2, text="hi", reply=Name(1, 0)),
    Timer(5, 2, seconds=0),
    Timer(5, 2, seconds=2**32 - 1),
)


def unknown(seen: int) -> bytes:
    """The frame of a content of an unknown type."""
    return _frame({"t": "wave", "at": 5, "seen": seen, "height": 3})


def readable() -> Iterator[tuple[str, bytes, Mapping[str, object]]]:
    """Contents, and what a reader knows of each: the members that belong to its type."""
    for one in READABLE:
        yield f"{one.t}", content.write(one), content.to_map(one)
    for length in (31, 32, 255, 256):
        long = Text(5, 2, text="x" * length)
        yield f"a text of {length} bytes", content.write(long), content.to_map(long)
    yield "members in another order", _frame({"seen": 2, "at": 5, "t": "ack"}), ACK
    for name, value in (
        ("nil", None),
        ("a bin", b"\0" * 300),
        ("true", True),
        ("-1", -1),
        ("-2^53 + 1", 1 - 2**53),
    ):
        yield f"an unknown member: {name}", _frame({**ACK, "later_one": value}), ACK
    yield "an unknown member: a list of 16", _frame({**ACK, "more": [0] * 16}), ACK
    yield "an unknown member: four deep", _frame({**ACK, "more": [{"a": [0, ""]}]}), ACK
    yield "another type's member, of another type", _frame({**ACK, "text": 3, "reply": None}), ACK
    yield "sixteen members", _frame({**ACK, **{"a" * n: n for n in range(1, 14)}}), ACK
    yield "an unknown type", unknown(2), {"t": "wave", "at": 5, "seen": 2}


def unreadable() -> Iterator[tuple[str, bytes]]:
    """Frames that nobody must read."""
    yield from defects()
    yield from _badly_padded()
    for name, packed in _badly_packed():
        yield name, padding.frame(packed)
    for name, members in _badly_typed():
        yield name, _frame(members)
    yield "typing, where it was stored", content.write(Typing(True))
    yield "typing with at and seen", _frame({"t": "typing", "at": 5, "seen": 2, "on": True})


def defects() -> Iterator[tuple[str, bytes]]:
    """A few of each kind. Two say to have seen more than anybody ever sent, which must not be believed."""
    right = content.write(Text(5, 2, text="hi"))
    yield "a one in its padding", right[:-1] + b"\x01"
    yield "sixteen zeros too many", right + bytes(16)
    yield "a length beyond its end", (2**32 - 1).to_bytes(4) + right[4:]
    yield "no content", padding.frame(b"")
    yield "a float", _frame({**TEXT, "seen": 99, "more": 1.5})
    yield "a byte behind the map", padding.frame(_pack({**TEXT, "seen": 99}) + b"\0")
    yield "no seen", _frame({"t": "text", "at": 5, "text": "hi"})


def typing() -> Iterator[tuple[str, bytes, bool | None]]:
    """Frames in a volatile body, and what they say; None where nothing."""
    yield "on", content.write(Typing(True)), True
    yield "off", content.write(Typing(False)), False
    yield "in another order, with unknown members", _frame({"on": True, "more": [1], "t": "typing"}), True
    for name, members in (
        ("on missing", {"t": "typing"}),
        ("on is nil", {"t": "typing", "on": None}),
        ("on is a number", {"t": "typing", "on": 1}),
        ("a text", TEXT),
        ("an ack", ACK),
        ("a text that is on", {**TEXT, "on": True}),
        ("an unknown type", {"t": "wave", "on": True}),
        ("a float beside it", {"t": "typing", "on": True, "more": 0.5}),
    ):
        yield name, _frame(members), None
    yield "a one in its padding", content.write(Typing(True))[:-1] + b"\x01", None
    yield "sixteen zeros too many", content.write(Typing(True)) + bytes(16), None


def _badly_padded() -> Iterator[tuple[str, bytes]]:
    full = padding.frame(_pack({**TEXT, "text": "x" * 300}))
    yield "a unit less of zeros", full[:-16]
    yield "a unit more of zeros", full + bytes(16)
    yield "padded to a power of two", full.ljust(512, b"\0")
    yield "one zero less", full[:-1]
    yield "a length shorter than the map", (10).to_bytes(4) + full[4:]
    yield "a length longer than the map", (len(full) - 5).to_bytes(4) + full[4:]
    yield "a length in little end first", full[3::-1] + full[4:]


def _badly_packed() -> Iterator[tuple[str, bytes]]:
    ack = _pack(ACK)
    inside = ack[1:]
    yield "nil", b"\xc0"
    yield "a list", b"\x93\x01\x02\x03"
    yield "an empty map", b"\x80"
    yield "cut off", ack[:-1]
    yield "two maps", ack + ack
    yield "a map header of 16 bits", b"\xde\x00\x03" + inside
    yield "a map header of 32 bits", b"\xdf\x00\x00\x00\x03" + inside
    yield "a key twice", b"\x84" + inside + b"\xa2at\x05"
    yield "a key twice, with another value", b"\x84" + inside + b"\xa2at\x06"
    for name, key in (
        ("an empty key", b"\xa0"),
        ("a key that begins with _", b"\xa2_a"),
        ("a key with a digit", b"\xa2a1"),
        ("a key with a capital letter", b"\xa2aB"),
        ("a key with a minus", b"\xa3a-b"),
        ("a key with a letter beyond ASCII", b"\xa3a\xc3\xa9"),
        ("a key with a line feed behind", b"\xa2a\n"),
        ("a key in 8-bit length", b"\xd9\x01a"),
        ("a key of bytes", b"\xc4\x01a"),
        ("a number as key", b"\x01"),
        ("nil as key", b"\xc0"),
    ):
        yield name, b"\x84" + inside + key + b"\x00"
    for name, value in (
        ("a float of 64 bits", b"\xcb\x3f\xf0" + bytes(6)),
        ("a float of 32 bits", b"\xca\x3f\x80\x00\x00"),
        ("not a number", b"\xcb\x7f\xf8" + bytes(6)),
        ("an extension", b"\xd4\x01\x00"),
        ("a timestamp", b"\xd6\xff" + bytes(4)),
        ("a long extension", b"\xc7\x03\x05abc"),
        ("the byte that is never used", b"\xc1"),
        ("5 in 8 bits", b"\xcc\x05"),
        ("5 in 16 bits", b"\xcd\x00\x05"),
        ("5 in 32 bits", b"\xce\x00\x00\x00\x05"),
        ("5 in 64 bits", b"\xcf" + bytes(7) + b"\x05"),
        ("5 in 8 signed bits", b"\xd0\x05"),
        ("300 in 16 signed bits", b"\xd1\x01\x2c"),
        ("-1 in 8 bits", b"\xd0\xff"),
        ("-1 in 64 bits", b"\xd3" + b"\xff" * 8),
        ("-200 in 32 bits", b"\xd2\xff\xff\xff\x38"),
        ("2^53", b"\xcf\x00\x20" + bytes(6)),
        ("-2^53", b"\xd3\xff\xe0" + bytes(6)),
        ("2^64 - 1", b"\xcf" + b"\xff" * 8),
        ("-2^63", b"\xd3\x80" + bytes(7)),
        ("a text in 8-bit length", b"\xd9\x02hi"),
        ("a text in 16-bit length", b"\xda\x00\x02hi"),
        ("a text in 32-bit length", b"\xdb\x00\x00\x00\x02hi"),
        ("a bin in 16-bit length", b"\xc5\x00\x02hi"),
        ("a bin in 32-bit length", b"\xc6\x00\x00\x00\x02hi"),
        ("a list in 16-bit length", b"\xdc\x00\x01\x00"),
        ("a list in 32-bit length", b"\xdd\x00\x00\x00\x01\x00"),
        ("a list that is not there", b"\xdd\xff\xff\xff\xff"),
        ("text that is no UTF-8", b"\xa1\xff"),
        ("text cut off in a character", b"\xa2\xe2\x82"),
        ("half of a surrogate pair", b"\xa3\xed\xa0\x80"),
        ("a surrogate pair in two characters", b"\xa6\xed\xa0\xbd\xed\xb8\x80"),
        ("an overlong zero", b"\xa2\xc0\x80"),
        ("a character beyond U+10FFFF", b"\xa4\xf4\x90\x80\x80"),
        ("U+FEFF", b"\xa3\xef\xbb\xbf"),
        ("a text that begins with U+FEFF", b"\xa5\xef\xbb\xbfhi"),
        ("a text further in that begins with U+FEFF", b"\x91\xa5\xef\xbb\xbfhi"),
        ("five deep", b"\x91\x91\x91\x91\x00"),
        ("five deep, of maps", b"\x81\xa1a" * 4 + b"\x00"),
        ("very deep", b"\x91" * 20_000 + b"\x00"),
        ("a bad key further in", b"\x81\xa1A\x00"),
        ("a key twice further in", b"\x82\xa1a\x00\xa1a\x00"),
    ):
        yield f"in an unknown member: {name}", b"\x84" + inside + b"\xa4more" + value


def _badly_typed() -> Iterator[tuple[str, Mapping[str, object]]]:
    for kind in (None, 3, b"ack"):
        yield f"t is {_named(kind)}", {**ACK, "t": kind}
    yield "no t", {"at": 5, "seen": 2}
    yield "no at", {"t": "ack", "seen": 2}
    yield "an unknown type without seen", {"t": "wave", "at": 5}
    for number in (-1, True, "5", None):
        yield f"at is {_named(number)}", {**ACK, "at": number}
        yield f"seen is {_named(number)}", {**ACK, "seen": number}
    yield "seen is 2^32", {**ACK, "seen": 2**32}
    yield "no text", {**ACK, "t": "text"}
    for text in (None, b"hi", ["hi"]):
        yield f"text is {_named(text)}", {**TEXT, "text": text}
    yield "a text of 16,385 bytes", {**TEXT, "text": "x" * 16_385}
    replies: list[object] = [
        None,
        [],
        [0],
        [0, 1, 2],
        [2, 0],
        [-1, 0],
        [0, -1],
        [0, 2**32],
        [True, 0],
        ["0", 1],
        {"n": 0},
        "01",
    ]
    for reply in replies:
        yield f"reply is {_named(reply)}", {**TEXT, "reply": reply}
    yield "no seconds", {**ACK, "t": "timer"}
    for seconds in (-1, 2**32, None, "60", True):
        yield f"seconds is {_named(seconds)}", {**ACK, "t": "timer", "seconds": seconds}


def _named(value: object) -> str:
    return "a bin" if isinstance(value, bytes) else json.dumps(value)


def _frame(members: Mapping[str, object]) -> bytes:
    return padding.frame(_pack(members))


def _pack(members: Mapping[str, object]) -> bytes:
    return msgspec.msgpack.encode(members)
