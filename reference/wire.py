"""The frames of the two websockets (DESIGN §4, docs/asyncapi.json): MessagePack maps, the type in `t`.

    send socket      out  hello lookup prepare offer answer decline post volatile keep leave erase
                     in   ready ok key seal stored erased error
    receive socket   out  hello taken resync
                     in   ready session item caught_up volatile ended error

Hashes, session ids and tokens are b64u text of 43 characters, bodies and halves are bin, `id`, `n` and `seq`
have 32 bits. Unknown, missing and mistyped members and trailing bytes are refused: `BadFrame`.
"""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", min_length=43, max_length=43)]
Uint32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Body = Annotated[bytes, Meta(min_length=1)]
Half = Annotated[bytes, Meta(min_length=32, max_length=32)]
Modulus = Annotated[bytes, Meta(min_length=384, max_length=384)]
Seconds = Annotated[float, Meta(ge=0)]
Cursors = Annotated[dict[Name, Uint32], Meta(max_length=64)]
Role = Literal[0, 1]
DeclineWhy = Literal["declined", "used", "unread"]
EndedWhy = Literal["left", "declined", "used", "expired", "erased", "removed"]

CURSORS_MAX = 64


class BadFrame(Exception):
    """These bytes are no frame of this socket."""


class Frame(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    """A map with its type in `t`."""


# --- out, on the send socket ----------------------------------------------------------------------


class SendHello(Frame, frozen=True, tag="hello"):
    token: Name


class Lookup(Frame, frozen=True, tag="lookup"):
    id: Uint32
    hash: Name


class Prepare(Frame, frozen=True, tag="prepare"):
    id: Uint32
    session: Name


class Offer(Frame, frozen=True, tag="offer"):
    id: Uint32
    body: Body


class Answer(Frame, frozen=True, tag="answer"):
    id: Uint32
    session: Name
    body: Body


class Decline(Frame, frozen=True, tag="decline"):
    id: Uint32
    session: Name
    why: DeclineWhy


class Post(Frame, frozen=True, tag="post"):
    session: Name
    n: Uint32
    body: Body


class Volatile(Frame, frozen=True, tag="volatile"):
    """Typing; the same in both directions."""

    session: Name
    body: Body


class Keep(Frame, frozen=True, tag="keep"):
    id: Uint32
    session: Name
    ttl: Annotated[int, Meta(ge=1, le=86400)]


class Leave(Frame, frozen=True, tag="leave"):
    id: Uint32
    session: Name


class Erase(Frame, frozen=True, tag="erase"):
    id: Uint32


# --- in, on the send socket -----------------------------------------------------------------------


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this server takes. The bounds of `ttl` are the server's; PROTOCOL §9 has its own."""

    text_bytes: Uint32
    frame_bytes: Uint32
    ttl_seconds: Uint32
    ttl_min_seconds: Uint32
    ttl_max_seconds: Uint32
    sessions: Uint32
    requests: Uint32


class SendReady(Frame, frozen=True, tag="ready"):
    limits: Limits


class Ok(Frame, frozen=True, tag="ok"):
    id: Uint32


class Key(Frame, frozen=True, tag="key"):
    id: Uint32
    modulus: Modulus


class Seal(Frame, frozen=True, tag="seal"):
    id: Uint32
    session: Name
    half: Half


class Stored(Frame, frozen=True, tag="stored"):
    """All of this side's messages up to `n` are on the server's disk."""

    session: Name
    n: Uint32


class Erased(Frame, frozen=True, tag="erased"):
    id: Uint32
    sessions: Uint32
    messages: Uint32
    files: Uint32
    peers: Uint32
    told: Uint32


class Error(Frame, frozen=True, tag="error"):
    """A refusal of the request `id`, or of the post (`session`, `n`), or of all that came."""

    code: Literal[
        "bad_frame",
        "not_logged_in",
        "not_found",
        "not_yours",
        "ended",
        "conflict",
        "gap",
        "bad_envelope",
        "too_big",
        "too_fast",
        "full",
        "unavailable",
        "not_open",
    ]
    permanent: bool
    retry_after: Seconds | None
    id: Uint32 | None
    session: Name | None
    n: Uint32 | None


# --- out, on the receive socket -------------------------------------------------------------------


class ReceiveHello(Frame, frozen=True, tag="hello"):
    token: Name
    cursors: Cursors


class Taken(Frame, frozen=True, tag="taken"):
    session: Name
    seq: Uint32


class Resync(Frame, frozen=True, tag="resync"):
    cursors: Cursors


# --- in, on the receive socket --------------------------------------------------------------------


class SessionInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session as this side sees it: `role` 0 began it; `next_n` and `half` are this side's."""

    id: Name
    role: Role
    peer: Name
    state: Literal["offered", "open"]
    ttl: Uint32
    left: Seconds
    last_seq: Uint32
    next_n: Uint32
    half: Half


class ReceiveReady(Frame, frozen=True, tag="ready"):
    sessions: list[SessionInfo]


class Session(Frame, frozen=True, tag="session"):
    session: SessionInfo


class Item(Frame, frozen=True, tag="item"):
    session: Name
    seq: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    kind: Literal["offer", "answer", "message"]
    sender: Role
    body: Body


class Items(Frame, frozen=True, tag="items"):
    items: Annotated[list[Item], Meta(min_length=1)]


class CaughtUp(Frame, frozen=True, tag="caught_up"):
    pass


class Ended(Frame, frozen=True, tag="ended"):
    session: Name
    why: EndedWhy


# --- bytes ----------------------------------------------------------------------------------------

SendRequest = SendHello | Lookup | Prepare | Offer | Answer | Decline | Post | Volatile | Keep | Leave | Erase
SendReply = SendReady | Ok | Key | Seal | Stored | Erased | Error
ReceiveRequest = ReceiveHello | Taken | Resync
ReceiveReply = ReceiveReady | Session | Item | Items | CaughtUp | Volatile | Ended | Error

#: What has a number, and an answer with the same.
REQUESTS = (Lookup, Prepare, Offer, Answer, Decline, Keep, Leave, Erase)

T = TypeVar("T")
send_requests: msgspec.msgpack.Decoder[SendRequest] = msgspec.msgpack.Decoder(SendRequest)
send_replies: msgspec.msgpack.Decoder[SendReply] = msgspec.msgpack.Decoder(SendReply)
receive_requests: msgspec.msgpack.Decoder[ReceiveRequest] = msgspec.msgpack.Decoder(ReceiveRequest)
receive_replies: msgspec.msgpack.Decoder[ReceiveReply] = msgspec.msgpack.Decoder(ReceiveReply)

_encoder = msgspec.msgpack.Encoder()


def encode(frame: Frame) -> bytes:
    """The bytes of `frame`."""
    return _encoder.encode(frame)


def decode(decoder: "msgspec.msgpack.Decoder[T]", data: Any) -> T:
    """The frame in `data`, as one of the four decoders above knows it; BadFrame."""
    if not isinstance(data, bytes):
        raise BadFrame
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame from error
