"""Makes docs/vectors/wire.json, the frames that server and page both run as tests.

    python -m chat.tests.wire_vectors

Frames are packed by another MessagePack library than the server's, and the bad ones partly by hand. Bytes in
`frame` stand as {"$hex": "…"}.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]

PATH = Path(__file__).parents[2] / "docs" / "vectors" / "wire.json"

A = "A" * 43
SESSION = "q7uPZ3Yr5bFZ0mHqgT1Xl8v2nC4kE9oW6sJdRtLyUiM"
HASH = "0-_zZ3Yr5bFZ0mHqgT1Xl8v2nC4kE9oW6sJdRtLyUi8"
TOKEN = "tokentokentokentokentokentokentokentoken__8"
TOP = 0xFFFFFFFF

Frame = dict[str, Any]

INFO: Frame = {
    "id": SESSION,
    "role": 1,
    "peer": HASH,
    "state": "open",
    "ttl": 900,
    "left": 899.5,
    "last_seq": 7,
    "next_n": 3,
    "half": bytes(range(32)),
}
LIMITS: Frame = {
    "text_bytes": 16384,
    "frame_bytes": 32768,
    "ttl_seconds": 900,
    "ttl_min_seconds": 60,
    "ttl_max_seconds": 86400,
    "sessions": 20,
    "requests": 10,
}
ERROR: Frame = {
    "t": "error",
    "code": "gap",
    "permanent": False,
    "retry_after": None,
    "id": None,
    "session": SESSION,
    "n": 4,
}
ERROR_CODES = (
    *("bad_frame", "not_logged_in", "not_found", "not_yours", "ended", "conflict", "gap"),
    *("bad_envelope", "too_big", "too_fast", "full", "unavailable", "not_open"),
)

GOOD: dict[tuple[str, str], dict[str, Frame]] = {
    ("send", "page"): {
        "hello": {"t": "hello", "token": TOKEN},
        "lookup": {"t": "lookup", "id": 1, "hash": HASH},
        "lookup, lowest id": {"t": "lookup", "id": 0, "hash": A},
        "lookup, highest id": {"t": "lookup", "id": TOP, "hash": A},
        "prepare": {"t": "prepare", "id": 2, "session": SESSION},
        "offer": {"t": "offer", "id": 3, "body": bytes([1, 1]) + bytes(2080)},
        "offer, one byte": {"t": "offer", "id": 3, "body": b"\x01"},
        "answer": {"t": "answer", "id": 4, "session": SESSION, "body": bytes([1, 2]) + bytes(2784)},
        "decline": {"t": "decline", "id": 5, "session": SESSION, "why": "declined"},
        "decline a used link": {"t": "decline", "id": 5, "session": SESSION, "why": "used"},
        "leave an offer unread": {"t": "decline", "id": 5, "session": SESSION, "why": "unread"},
        "post": {"t": "post", "session": SESSION, "n": 0, "body": bytes([1, 3]) + bytes(331)},
        "post, highest n": {"t": "post", "session": SESSION, "n": TOP, "body": b"\x01"},
        "volatile": {"t": "volatile", "session": SESSION, "body": bytes([1, 4]) + bytes(330)},
        "keep, shortest": {"t": "keep", "id": 6, "session": SESSION, "ttl": 60},
        "keep, longest": {"t": "keep", "id": 6, "session": SESSION, "ttl": 86400},
        "leave": {"t": "leave", "id": 7, "session": SESSION},
        "erase": {"t": "erase", "id": 8},
    },
    ("send", "server"): {
        "ready": {"t": "ready", "limits": LIMITS},
        "ok": {"t": "ok", "id": 1},
        "key": {"t": "key", "id": 1, "modulus": b"\xff" * 384},
        "seal": {"t": "seal", "id": 2, "session": SESSION, "half": bytes(range(32))},
        "stored": {"t": "stored", "session": SESSION, "n": 0},
        "stored, highest n": {"t": "stored", "session": SESSION, "n": TOP},
        "erased": {
            "t": "erased",
            "id": 8,
            "sessions": 2,
            "messages": 30,
            "files": 0,
            "peers": 2,
            "told": 1,
        },
        **{f"error {code}": {**ERROR, "code": code} for code in ERROR_CODES},
        "error with a time to come back": {**ERROR, "code": "too_fast", "retry_after": 0.2},
        "error of a request": {
            **ERROR,
            "code": "not_found",
            "permanent": True,
            "id": 9,
            "session": None,
            "n": None,
        },
        "error of nothing named": {
            "t": "error",
            "code": "bad_frame",
            "permanent": True,
            "retry_after": None,
            "id": None,
            "session": None,
            "n": None,
        },
    },
    ("receive", "page"): {
        "hello of a fresh page": {"t": "hello", "token": TOKEN, "cursors": {}},
        "hello with cursors": {"t": "hello", "token": TOKEN, "cursors": {SESSION: 12, A: 0}},
        "hello with 64 cursors": {
            "t": "hello",
            "token": TOKEN,
            "cursors": {f"{number:042d}A": number for number in range(64)},
        },
        "taken": {"t": "taken", "session": SESSION, "seq": 9},
        "taken, highest seq": {"t": "taken", "session": SESSION, "seq": TOP},
        "resync": {"t": "resync", "cursors": {}},
        "resync of a session": {"t": "resync", "cursors": {SESSION: 3}},
    },
    ("receive", "server"): {
        "ready with nothing": {"t": "ready", "sessions": []},
        "ready with sessions": {
            "t": "ready",
            "sessions": [INFO, {**INFO, "id": A, "role": 0, "state": "offered", "next_n": 0, "last_seq": 1}],
        },
        "session": {"t": "session", "session": INFO},
        "session, no time left": {"t": "session", "session": {**INFO, "left": 0.0}},
        "item offer": {
            "t": "item",
            "session": SESSION,
            "seq": 1,
            "kind": "offer",
            "sender": 0,
            "body": b"\x01\x01",
        },
        "item answer": {
            "t": "item",
            "session": SESSION,
            "seq": 2,
            "kind": "answer",
            "sender": 1,
            "body": b"\x01\x02",
        },
        "item message": {
            "t": "item",
            "session": SESSION,
            "seq": 3,
            "kind": "message",
            "sender": 0,
            "body": bytes([1, 3]) + bytes(331),
        },
        "item, highest seq": {
            "t": "item",
            "session": SESSION,
            "seq": TOP,
            "kind": "message",
            "sender": 1,
            "body": b"\x01",
        },
        "items": {
            "t": "items",
            "items": [
                {"t": "item", "session": SESSION, "seq": seq, "kind": "message", "sender": 1, "body": b"\x01"}
                for seq in (3, 4)
            ],
        },
        "caught_up": {"t": "caught_up"},
        "volatile": {"t": "volatile", "session": SESSION, "body": bytes([1, 4]) + bytes(330)},
        **{
            f"ended {why}": {"t": "ended", "session": SESSION, "why": why}
            for why in ("left", "declined", "used", "expired", "erased", "removed")
        },
        "error": {**ERROR, "code": "not_logged_in", "permanent": True, "session": None, "n": None},
    },
}

# Other values for a member of that name, each of which makes any frame bad.
NOT_NAMES = {
    "empty": "",
    "short": SESSION[:-1],
    "long": SESSION + "A",
    "padded": SESSION + "=",
    "with a line break": SESSION + "\n",
    "with base64's plus": "+" + SESSION[1:],
    "with a foreign letter": "é" + SESSION[1:],
    "with unused bits set": SESSION[:-1] + "N",
    "as bytes": SESSION.encode(),
    "as nil": None,
    "as a number": 1,
}
NOT_UINTS = {
    "negative": -1,
    "above 32 bits": TOP + 1,
    "of 64 bits": 2**64 - 1,
    "a fraction": 1.5,
    "true": True,
    "text": "1",
    "nil": None,
}
NOT_BODIES = {"empty": b"", "text": "body", "nil": None, "an array": [1]}
NOT_CURSORS: dict[str, Any] = {
    "an array": [],
    "nil": None,
    "with a bad session": {"x": 1},
    "with a bad seq": {SESSION: -1},
    "with a seq of text": {SESSION: "1"},
    "above 64": {f"{number:042d}A": 0 for number in range(65)},
}
SPOILED: dict[str, dict[str, Any]] = {
    "token": NOT_NAMES,
    "hash": NOT_NAMES,
    "session": NOT_NAMES,
    "id": NOT_UINTS,
    "n": NOT_UINTS,
    "seq": NOT_UINTS,
    "told": NOT_UINTS,
    "body": NOT_BODIES,
    "cursors": NOT_CURSORS,
    "why": {"unknown": "because", "nil": None, "empty": ""},
    "kind": {"unknown": "volatile", "a number": 3},
    "sender": {"two": 2, "negative": -1, "true": True},
    "ttl": {"zero": 0, "above a day": 86401, "a fraction": 900.5},
    "half": {"short": bytes(31), "long": bytes(33), "text": "x" * 32},
    "modulus": {"short": bytes(383), "long": bytes(385)},
    "limits": {"nil": None, "with less": {}, "with more": {**LIMITS, "more": 1}},
    "sessions": {"nil": None, "negative": -1, "of the wrong kind": [1]},
}
# Which members of which frames are spoiled: enough for each rule to be met on each socket.
SPOIL: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    ("send", "page"): {
        "hello": ("token",),
        "lookup": ("id", "hash"),
        "post": ("session", "n", "body"),
        "offer": ("body",),
        "decline": ("why",),
        "keep, shortest": ("ttl",),
    },
    ("send", "server"): {
        "ready": ("limits",),
        "key": ("modulus",),
        "seal": ("half", "session"),
        "stored": ("n",),
        "erased": ("told",),
    },
    ("receive", "page"): {
        "hello of a fresh page": ("token", "cursors"),
        "taken": ("session", "seq"),
        "resync": ("cursors",),
    },
    ("receive", "server"): {
        "item message": ("session", "seq", "kind", "sender", "body"),
        "ended left": ("why", "session"),
        "ready with nothing": ("sessions",),
    },
}


def make() -> dict[str, list[dict[str, Any]]]:
    """The whole file."""
    return {
        "good": [
            {"name": name, "socket": socket, "from": side, "hex": _pack(frame).hex(), "frame": _plain(frame)}
            for (socket, side), frames in GOOD.items()
            for name, frame in frames.items()
        ],
        "bad": [
            {"name": name, "socket": socket, "from": side, "hex": data.hex()}
            for socket, side in GOOD
            for name, data in _bad(socket, side)
        ],
    }


def _bad(socket: str, side: str) -> Iterator[tuple[str, bytes]]:
    frames = GOOD[socket, side]
    yield from _bad_for_all(next(iter(frames.values())))
    seen: set[str] = set()
    for frame in frames.values():
        if frame["t"] not in seen:
            seen.add(frame["t"])
            yield from _bad_shapes(frame)
    for name, members in SPOIL[socket, side].items():
        for member in members:
            for what, value in SPOILED[member].items():
                yield f"{frames[name]['t']}: {member} {what}", _pack({**frames[name], member: value})
    yield from _of_the_other_side(socket, side)


def _bad_for_all(frame: Frame) -> Iterator[tuple[str, bytes]]:
    good = _pack(frame)
    yield "nothing", b""
    yield "nil", b"\xc0"
    yield "an empty map", b"\x80"
    yield "an array", _pack([frame])  # type: ignore[arg-type]
    yield "text", msgpack.packb("hello")
    yield "bytes", msgpack.packb(good)
    yield "a byte that MessagePack doesn't use", b"\xc1"
    yield "an extension", b"\xd4\x01\x00"
    yield "a frame that is cut short", good[:-1]
    yield "trailing bytes", good + b"\xc0"
    yield "two frames", good + good
    yield "an unknown type", _pack({**frame, "t": "unknown"})
    yield "a type in capitals", _pack({**frame, "t": frame["t"].upper()})
    yield "a type of bytes", _pack({**frame, "t": frame["t"].encode()})
    yield "a type of nil", _pack({**frame, "t": None})
    yield "keys of bytes", _pack({key.encode(): value for key, value in frame.items()})  # type: ignore[misc]
    yield "a key that is not UTF-8", b"\x82\xa1t" + msgpack.packb(frame["t"]) + b"\xa1\xff\x01"
    yield "a map that claims 2^32 - 1 members", b"\xdf\xff\xff\xff\xff\xa1t"
    yield "text that claims 2^32 - 1 bytes", b"\x81\xa1t\xdb\xff\xff\xff\xffhello"
    yield "nested very deeply", b"\x82\xa1x" + b"\x91" * 5000


def _bad_shapes(frame: Frame) -> Iterator[tuple[str, bytes]]:
    kind = frame["t"]
    yield f"{kind}: a member too many", _pack({**frame, "more": 1})
    for member in frame:
        yield f"{kind}: without {member}", _pack({key: frame[key] for key in frame if key != member})


def _of_the_other_side(socket: str, side: str) -> Iterator[tuple[str, bytes]]:
    """What is good elsewhere and has no business here."""
    known = {frame["t"] for frame in GOOD[socket, side].values()}
    for (other_socket, other_side), frames in GOOD.items():
        for frame in frames.values():
            if frame["t"] not in known:
                known.add(frame["t"])
                yield f"{frame['t']}, which belongs to {other_socket} from {other_side}", _pack(frame)


def _pack(frame: Frame) -> bytes:
    packed = msgpack.packb(frame)
    assert isinstance(packed, bytes)
    return packed


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$hex": value.hex()}
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def text() -> str:
    """The file's text: one vector a line."""
    parts = [
        f'  "{name}": [\n' + ",\n".join("    " + json.dumps(each) for each in vectors) + "\n  ]"
        for name, vectors in make().items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
