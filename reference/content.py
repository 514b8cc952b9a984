"""What messages say (PROTOCOL §7): the contents that version 1 of the page knows.

    hello  ack  bye        nothing more
    text                   text: UTF-8, at most 16 KiB; reply: [sender, n], if it answers a message
    timer                  seconds: without activity, after which the conversation ends
    typing                 on: true or false; volatile, without `at` and `seen`

Every stored one has `at` (the sender's clock, ms) and `seen` (how many of the peer's messages it had taken).
One that is well formed and of another type is Unknown; everything else that can't be understood is
Unreadable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from reference import packing, padding
from reference.errors import ProtocolError

MAX_TEXT_BYTES: Final = 16 * 1024
MAX_COUNT: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Name:
    """A message by its sender (0: the initiator, 1: the responder) and n."""

    sender: int
    n: int


@dataclass(frozen=True, slots=True)
class _Stored:
    at: int
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Hello(_Stored):
    """The initiator's first message: by opening, it confirms the handshake."""

    t: ClassVar = "hello"


@dataclass(frozen=True, slots=True)
class Ack(_Stored):
    """The delivery receipt of a side that has nothing else to say."""

    t: ClassVar = "ack"


@dataclass(frozen=True, slots=True)
class Bye(_Stored):
    """Its sender leaves."""

    t: ClassVar = "bye"


@dataclass(frozen=True, slots=True)
class Text(_Stored):
    """A text, and the message that it answers, if any. The name may mean nothing: whoever shows it checks."""

    t: ClassVar = "text"
    text: str = field(kw_only=True, repr=False)
    reply: Name | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Timer(_Stored):
    """How long without activity the conversation shall live. The server's bounds are for whoever obeys it."""

    t: ClassVar = "timer"
    seconds: int = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Typing:
    """Whether its sender is typing; only in volatile frames."""

    t: ClassVar = "typing"
    on: bool


@dataclass(frozen=True, slots=True)
class Unknown(_Stored):
    """A content of a type that this version does not know: "needs a newer version"."""

    t: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A content that can't be parsed, or is padded otherwise. Nothing in it is believed."""


Sendable = Hello | Ack | Bye | Text | Timer
Stored = Sendable | Unknown | Unreadable

_BARE: Final[dict[str, type[Hello | Ack | Bye]]] = {"hello": Hello, "ack": Ack, "bye": Bye}


def write(content: Sendable | Typing) -> bytes:
    """The frame of a content, 256 bytes to 32 KiB.

    Raises ProtocolError `too-long` for a text above 16 KiB, and `content` for what can't be written: half of
    a surrogate pair, a text that begins with U+FEFF, a number out of its range.
    """
    members = to_map(content)
    packed = packing.pack(members)
    if isinstance(content, Text) and len(content.text.encode()) > MAX_TEXT_BYTES:
        raise ProtocolError("too-long")
    if _parse(members) != content:
        raise ProtocolError("content")
    return padding.frame(packed)


def read(frame: bytes) -> Stored:
    """The content of a stored message's frame; Unreadable instead of an error."""
    try:
        content = _parse(packing.unpack(padding.unframe(frame)))
    except ProtocolError:
        return Unreadable()
    return Unreadable() if isinstance(content, Typing) else content


def read_typing(frame: bytes) -> Typing | None:
    """The content of a volatile frame, if it is one that may be volatile."""
    try:
        content = _parse(packing.unpack(padding.unframe(frame)))
    except ProtocolError:
        return None
    return content if isinstance(content, Typing) else None


def to_map(content: Sendable | Typing) -> dict[str, object]:
    """The members of a content, in the order in which this implementation writes them."""
    match content:
        case Typing(on):
            return {"t": content.t, "on": on}
        case Text(at, seen):
            reply = {"reply": [content.reply.sender, content.reply.n]} if content.reply else {}
            return {"t": content.t, "at": at, "seen": seen, "text": content.text, **reply}
        case Timer(at, seen):
            return {"t": content.t, "at": at, "seen": seen, "seconds": content.seconds}
        case _:
            return {"t": content.t, "at": content.at, "seen": content.seen}


def _parse(members: Mapping[str, object]) -> Sendable | Typing | Unknown:
    """The content of a map; members that its type does not have are ignored. ProtocolError `content`."""
    t = _text(members.get("t"))
    if t == "typing":
        return Typing(_bool(members.get("on")))
    at, seen = _unsigned(members.get("at"), packing.MAX_INTEGER), _unsigned(members.get("seen"))
    match t:
        case "hello" | "ack" | "bye":
            return _BARE[t](at, seen)
        case "text":
            text = _text(members.get("text"))
            if len(text.encode()) > MAX_TEXT_BYTES:
                raise ProtocolError("content")
            return Text(at, seen, text=text, reply=_name(members["reply"]) if "reply" in members else None)
        case "timer":
            return Timer(at, seen, seconds=_unsigned(members.get("seconds")))
        case _:
            return Unknown(at, seen, t=t)


def _name(value: object) -> Name:
    match value:
        case [sender, n]:
            return Name(_unsigned(sender, 1), _unsigned(n))
        case _:
            raise ProtocolError("content")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ProtocolError("content")
    return value


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise ProtocolError("content")
    return value


def _unsigned(value: object, greatest: int = MAX_COUNT) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= greatest:
        raise ProtocolError("content")
    return value
