"""A page as Quarter's server sees it: two sockets, posts and `taken`, without the cryptography."""

import asyncio
import os
import struct
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any

import msgspec

from bench.server import frames
from bench.server.link import Broken, Link, connect
from bench.server.person import Person

MESSAGE_BYTES = 1024
_TAG_BYTES = 16
#: Where a message's header has its n.
_N_AT = 39
#: A cursor above all that is stored: nothing is sent again.
ALL = 0xFFFFFFFF


@dataclass(frozen=True)
class Talk:
    """An open conversation: its id, both sides' tokens, and which server each side connects to."""

    session: str
    tokens: tuple[str, str]
    origins: tuple[str, str]


class Heard(msgspec.Struct):
    """What a page looks at in a frame of the server; all else is passed over unread."""

    t: str
    n: int | None = None
    seq: int = 0
    items: "tuple[Heard, ...]" = ()
    sessions: tuple[dict[str, Any], ...] = ()


hear = msgspec.msgpack.Decoder(Heard).decode


class Sending(Link):
    """The send socket: `stored` is looked at, whatever else comes is a fault."""

    def __init__(self, page: "Page", origin: str) -> None:
        super().__init__(origin, "/ws/send/")
        self._page = page

    def opened(self) -> None:
        self.write(frames.masked(packed(t="hello", token=self._page.token)))

    def take(self, data: bytes, begin: int, end: int) -> None:
        frame = hear(memoryview(data)[begin:end])
        if frame.t == "stored" and frame.n is not None:
            self._page.acknowledged = frame.n + 1 - self._page.first_n
        elif frame.t == "ready":
            self.be_ready()
        else:
            raise Broken(str(msgspec.msgpack.decode(data[begin:end])))


class Receiving(Link):
    """The receive socket. Items are counted and taken; all else that the server may say is passed over."""

    def __init__(self, page: "Page", origin: str, cursor: int) -> None:
        super().__init__(origin, "/ws/receive/")
        self._page, self._cursor = page, cursor
        self._seqs: list[int] = []
        self.sessions: tuple[dict[str, Any], ...] = ()

    def opened(self) -> None:
        cursors = {self._page.session: self._cursor} if self._cursor else {}
        self.write(frames.masked(packed(t="hello", token=self._page.token, cursors=cursors)))

    def take(self, data: bytes, begin: int, end: int) -> None:
        frame = hear(memoryview(data)[begin:end])
        if frame.t == "items":
            self._seqs += [item.seq for item in frame.items]
        elif frame.t == "item":
            self._seqs.append(frame.seq)
        elif frame.t == "ready":
            self.sessions = frame.sessions
        elif frame.t == "caught_up":
            self.be_ready()
        elif frame.t in ("error", "ended"):
            raise Broken(str(msgspec.msgpack.decode(data[begin:end])))

    def took(self) -> None:
        seqs = self._seqs
        if seqs:
            self._page.take(seqs)
            self._seqs = []
            self._page.heard(len(seqs))


class Page(Person):
    """One side of a talk. As the page does, it says `taken` once of what came at once; or of each item."""

    def __init__(self, talk: Talk, side: int, taken_each: bool = False, cursor: int = ALL) -> None:
        super().__init__()
        self.session, self.token = talk.session, talk.tokens[side]
        self.first_n = 0
        self._origin, self._taken_each = talk.origins[side], taken_each
        self.receiving = Receiving(self, self._origin, cursor)
        self.sending = Sending(self, self._origin)
        self._taken = numbered(b"seq", {"t": "taken", "session": self.session})
        self._post = post_of(self.session, side)

    async def enter(self, index: int) -> None:
        await asyncio.gather(self.listen(2 * index), self.speak(2 * index + 1))

    async def listen(self, index: int) -> None:
        """Only the receive socket: a page that has nothing to say."""
        await connect(self.receiving, self._origin, index)
        self.first_n = next(info["next_n"] for info in self.receiving.sessions if info["id"] == self.session)

    async def speak(self, index: int) -> None:
        """Only the send socket."""
        await connect(self.sending, self._origin, index)

    def say(self, count: int) -> None:
        first = self.first_n + self.said
        self.said += count
        post = self._post
        self.sending.write(b"".join([post.of(n) for n in range(first, first + count)]))

    def take(self, seqs: list[int]) -> None:
        """Tell the server that these items are taken."""
        told = seqs if self._taken_each else seqs[-1:]
        self.receiving.write(b"".join([self._taken.of(seq) for seq in told]))

    def leave(self) -> None:
        self.receiving.close()
        self.sending.close()


def post_of(session: str, side: int) -> frames.Numbered:
    """A post of one side whose n stands in the frame and in the envelope's header; what it says is noise."""
    raw = urlsafe_b64decode(session + "=")
    head = b"\x01\x03" + raw + struct.pack(">BII", side, 1, 0) + os.urandom(16) + b"\x00"
    body = head + os.urandom(MESSAGE_BYTES + _TAG_BYTES)
    return numbered(b"n", {"t": "post", "session": session, "body": body}, body)


def packed(**members: object) -> bytes:
    """A frame of the wire."""
    return msgspec.msgpack.encode(members)


def numbered(name: bytes, members: dict[str, object], body: bytes = b"") -> frames.Numbered:
    """A frame of the wire with one more member `name`, a number; and with the body's n, if there is one."""
    payload = bytearray(msgspec.msgpack.encode(members))
    payload[0] += 1  # a map of one more
    payload += bytes((0xA0 + len(name),)) + name + b"\xce" + bytes(4)
    places = [len(payload) - 4]
    if body:
        places.append(payload.index(body) + _N_AT)
    return frames.Numbered(bytes(payload), places)
