"""The wire between page and server: MessagePack maps in binary websocket frames, the type in the member `t`.

    send socket, page → server              server → page
      hello    token                          ready    limits
      lookup   id, hash                       key      id, modulus
      prepare  id, session                    seal     id, session, half
      offer    id, body                       ok       id
      answer   id, session, body              ok       id
      decline  id, session, why               ok       id                    unread: its sender hears nothing
      post     session, n, body               stored   session, n            all up to n are on disk
      volatile session, body
      keep     id, session, ttl               ok       id
      leave    id, session                    ok       id
      erase    id                             erased   id, sessions, messages, files, peers, told
                                              error    code, permanent, retry_after, id, session, n

    receive socket, page → server           server → page
      hello    token, cursors                 ready    sessions
      taken    session, seq                   session  session
      resync   cursors                        item     session, seq, kind, sender, body
                                              items    items: several of these, in order
                                              caught_up
                                              volatile session, body
                                              ended    session, why

Hashes, session ids and tokens are b64u text of 43 characters in the one spelling that has no unused bits
set; bodies, moduli and halves are bin; `id`, `n` and `seq` are unsigned numbers of 32 bits; seconds may be
fractions. Unknown members, missing ones, other types and trailing bytes are refused. Of a member that stands
twice in a map the last one counts (msgspec doesn't tell): only this one decoder reads the frame, so there is
nobody who could have understood another.
"""

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from chat import errors

B64U_32 = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"

Name = Annotated[str, Meta(pattern=B64U_32, min_length=43, max_length=43, description="32 bytes in b64u")]
Uint32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Body = Annotated[bytes, Meta(min_length=1)]
Bytes32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Bytes384 = Annotated[bytes, Meta(min_length=384, max_length=384)]
Seconds = Annotated[float, Meta(ge=0)]
Cursors = Annotated[dict[Name, Uint32], Meta(max_length=64, description="session → last seq taken")]

DeclineWhy = Literal["declined", "used", "unread"]
EndedWhy = Literal["left", "declined", "used", "expired", "erased", "removed"]
ItemKind = Literal["offer", "answer", "message"]


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).lstrip("_")


class Frame(msgspec.Struct, frozen=True, tag_field="t", tag=_snake, forbid_unknown_fields=True):
    """What all frames share: a tag `t`, and no member that isn't named here."""


# --- send socket, page → server -------------------------------------------------------------------


class SendHello(Frame, frozen=True, tag="hello"):
    token: Name


class Lookup(Frame, frozen=True):
    id: Uint32
    hash: Name


class Prepare(Frame, frozen=True):
    id: Uint32
    session: Name


class Offer(Frame, frozen=True):
    id: Uint32
    body: Body


class Answer(Frame, frozen=True):
    id: Uint32
    session: Name
    body: Body


class Decline(Frame, frozen=True):
    id: Uint32
    session: Name
    why: DeclineWhy


class Post(Frame, frozen=True):
    session: Name
    n: Uint32
    body: Body


class Volatile(Frame, frozen=True):
    """Typing; the same in both directions."""

    session: Name
    body: Body


class Keep(Frame, frozen=True):
    id: Uint32
    session: Name
    ttl: Annotated[int, Meta(ge=1, le=86400)]


class Leave(Frame, frozen=True):
    id: Uint32
    session: Name


class Erase(Frame, frozen=True):
    id: Uint32


# --- send socket, server → page -------------------------------------------------------------------


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text_bytes: Uint32
    frame_bytes: Uint32
    ttl_seconds: Uint32
    ttl_min_seconds: Uint32
    ttl_max_seconds: Uint32
    sessions: Uint32
    requests: Uint32


class SendReady(Frame, frozen=True, tag="ready"):
    limits: Limits


class Ok(Frame, frozen=True):
    id: Uint32


class Key(Frame, frozen=True):
    id: Uint32
    modulus: Bytes384


class Seal(Frame, frozen=True):
    id: Uint32
    session: Name
    half: Bytes32


class Stored(Frame, frozen=True):
    session: Name
    n: Uint32


class Erased(Frame, frozen=True):
    id: Uint32
    sessions: Uint32
    messages: Uint32
    files: Uint32
    peers: Uint32
    told: Uint32


class Error(Frame, frozen=True):
    """A refusal; `id`, or `session` and `n`, name what was refused."""

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


# --- receive socket, page → server ----------------------------------------------------------------


class ReceiveHello(Frame, frozen=True, tag="hello"):
    token: Name
    cursors: Cursors


class Taken(Frame, frozen=True):
    session: Name
    seq: Uint32


class Resync(Frame, frozen=True):
    cursors: Cursors


# --- receive socket, server → page ----------------------------------------------------------------


class SessionInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One session as one side sees it; `left` is the time to its end, `next_n` and `half` are its own."""

    id: Name
    role: Literal[0, 1]
    peer: Name
    state: Literal["offered", "open"]
    ttl: Uint32
    left: Seconds
    last_seq: Uint32
    next_n: Uint32
    half: Bytes32


class ReceiveReady(Frame, frozen=True, tag="ready"):
    sessions: list[SessionInfo]


class Session(Frame, frozen=True):
    session: SessionInfo


class Item(Frame, frozen=True):
    session: Name
    seq: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    kind: ItemKind
    sender: Literal[0, 1]
    body: Body


class Items(Frame, frozen=True):
    """What one commit or one read brought, in one frame; as if each had come alone."""

    items: Annotated[list[Item], Meta(min_length=1)]


class CaughtUp(Frame, frozen=True):
    pass


class Ended(Frame, frozen=True):
    session: Name
    why: EndedWhy


# --- both ways ------------------------------------------------------------------------------------

SendRequest = SendHello | Lookup | Prepare | Offer | Answer | Decline | Post | Volatile | Keep | Leave | Erase
SendReply = SendReady | Ok | Key | Seal | Stored | Erased | Error
ReceiveRequest = ReceiveHello | Taken | Resync
ReceiveReply = ReceiveReady | Session | Item | Items | CaughtUp | Volatile | Ended | Error

SOCKETS = {
    ("send", "page"): SendRequest,
    ("send", "server"): SendReply,
    ("receive", "page"): ReceiveRequest,
    ("receive", "server"): ReceiveReply,
}

Request = TypeVar("Request")

_encoder = msgspec.msgpack.Encoder()
_send_requests: msgspec.msgpack.Decoder[SendRequest] = msgspec.msgpack.Decoder(SendRequest)
_receive_requests: msgspec.msgpack.Decoder[ReceiveRequest] = msgspec.msgpack.Decoder(ReceiveRequest)

encode = _encoder.encode


def decode_send(data: bytes) -> SendRequest:
    """A page's frame on the send socket; BadFrame for anything else."""
    return _decode(_send_requests, data)


def decode_receive(data: bytes) -> ReceiveRequest:
    """A page's frame on the receive socket; BadFrame for anything else."""
    return _decode(_receive_requests, data)


def _decode(decoder: "msgspec.msgpack.Decoder[Request]", data: bytes) -> Request:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise errors.BadFrame from error


def error_frame(
    error: errors.ChatError, id: int | None = None, session: str | None = None, n: int | None = None
) -> bytes:
    """The frame that says `error`: the one place where a refusal becomes bytes."""
    frame = Error(error.code, error.permanent, error.retry_after, id, session, n)  # type: ignore[arg-type]
    return encode(frame)
