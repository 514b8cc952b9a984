"""One websocket of bare bytes, on uvloop. What it carries is a subclass's business."""

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

from bench.server import frames

#: So many sockets come from one address of 127.0.0.0/8: each has 28,000 ports.
SOCKETS_PER_ADDRESS = 5_000


class Broken(Exception):
    """The server did what must not happen while it is measured."""


def fail(why: Exception) -> None:
    """Nobody expects it."""
    raise why


class Link(asyncio.Protocol):
    """See the module. `origin` is the server's, http://host:port; `path` is where the websocket is."""

    def __init__(self, origin: str, path: str) -> None:
        self._request = frames.request(urlsplit(origin).netloc, path, origin)
        self._rest = b""
        self._is_shaken = self._is_over = False
        #: What to do when the server closes the socket.
        self.lost: Callable[[Exception], None] = fail
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.write: Callable[[bytes], None]

    # --- for subclasses -----------------------------------------------------------------------------------

    def opened(self) -> None:
        """The handshake is over: say hello. `ready` is set by what the server answers."""

    def take(self, data: bytes, begin: int, end: int) -> None:
        """A frame's payload is in data[begin:end]."""

    def took(self) -> None:
        """All that was there to read was taken."""

    # --- asyncio.Protocol ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by descent
        self.write = self.transport.write
        self.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if not self._is_shaken:
            head, blank, rest = data.partition(b"\r\n\r\n")
            self._rest = data
            if not blank or not self._shake(head):
                return
            data = rest
        for opcode, begin, end in frames.skim(data):
            if self._is_over:
                return
            if opcode in (frames.BINARY, frames.TEXT):
                self.take(data, begin, end)
            elif opcode == frames.PING:
                self.write(frames.masked(data[begin:end], frames.PONG))
            elif opcode == frames.CLOSE:
                self._end(Broken(f"closed with {int.from_bytes(data[begin : begin + 2], 'big')}"))
            else:
                self._rest = data[begin:]
        self.took()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or Broken("the connection is gone"))

    def be_ready(self) -> None:
        """The server has said what was waited for, unless nobody waits any more."""
        if not self.ready.done():
            self.ready.set_result(None)

    def close(self) -> None:
        """Hang up; what comes is not looked at any more."""
        self._is_over = True
        if self.transport is not None:
            self.transport.abort()

    def _shake(self, head: bytes) -> bool:
        self._is_shaken = b" 101 " in head[:16]
        if self._is_shaken:
            self.opened()
        else:
            self._end(Broken(head.splitlines()[0].decode(errors="replace")))
        return self._is_shaken

    def _end(self, why: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(why)
        if not self._is_over:
            self.lost(why)


async def connect(link: Link, origin: str, index: int) -> None:
    """Opens the index-th socket of this process; returns when the server has said that it is ready."""
    host, port = str(urlsplit(origin).hostname), urlsplit(origin).port or 80
    source = (f"127.0.0.{2 + index // SOCKETS_PER_ADDRESS}", 0)
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: link, host, port, local_addr=source)
    await link.ready
