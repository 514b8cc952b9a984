"""Whoever sits between a client and the server: frames pass through its hands, and connections break.

`sockets._open` is what it takes the place of; a client that was made `between` keeps its meddler, on every
connection that it opens.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection

from reference import sockets, wire

Change = Callable[[wire.Frame], list[wire.Frame]]

_current: ContextVar["Meddler | None"] = ContextVar("meddler", default=None)
_decoders: dict[str, tuple[Any, Any]] = {
    "send": (wire.send_requests, wire.send_replies),
    "receive": (wire.receive_requests, wire.receive_replies),
}


class Meddler:
    """`out` and `into` make, of each frame that a client sends or is sent, those that go on in its place."""

    def __init__(self, out: Change | None = None, into: Change | None = None) -> None:
        self.out: Change = out or (lambda frame: [frame])
        self.into: Change = into or (lambda frame: [frame])
        self.connections: list[ClientConnection] = []
        self.sent: list[wire.Frame] = []
        self._passed = asyncio.Event()

    async def cut(self) -> None:
        """Break the connections that are there, without a word."""
        for connection in self.connections:
            connection.transport.abort()
        self.connections.clear()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true of the frames that have passed."""
        while not true():
            await self._passed.wait()

    def passes(self) -> None:
        """A frame has passed."""
        self._passed.set()
        self._passed = asyncio.Event()

    def posts(self) -> list[wire.Post]:
        """The posts that the client has sent, in order."""
        return [frame for frame in self.sent if isinstance(frame, wire.Post)]


class Meddled:
    """A websocket with a meddler in it."""

    def __init__(self, name: str, connection: ClientConnection, meddler: Meddler) -> None:
        self._requests, self._replies = _decoders[name]
        self._connection, self._meddler = connection, meddler
        self._waiting: list[bytes] = []

    @property
    def close_code(self) -> int | None:
        return self._connection.close_code

    async def send(self, data: bytes) -> None:
        frame = wire.decode(self._requests, data)
        self._meddler.sent.append(frame)
        self._meddler.passes()
        for changed in self._meddler.out(frame):
            await self._connection.send(wire.encode(changed))

    async def recv(self) -> bytes:
        while not self._waiting:
            frame = wire.decode(self._replies, await self._connection.recv())
            for each in frame.items if isinstance(frame, wire.Items) else [frame]:
                self._waiting += [wire.encode(changed) for changed in self._meddler.into(each)]
            self._meddler.passes()
        return self._waiting.pop(0)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield await self.recv()

    async def close(self) -> None:
        await self._connection.close()


@contextmanager
def between(meddler: Meddler | None) -> Iterator[None]:
    """Connections that are opened by what begins in here go through the meddler."""
    before = _current.set(meddler)
    try:
        yield
    finally:
        _current.reset(before)


@contextmanager
def installed() -> Iterator[None]:
    """What is opened in here asks for its meddler."""
    open_plainly = sockets._open

    async def open_meddled(origin: str, name: str) -> Any:
        connection = await open_plainly(origin, name)
        meddler = _current.get()
        if meddler is None:
            return connection
        meddler.connections.append(connection)
        return Meddled(name, connection, meddler)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sockets, "_open", open_meddled)
        yield


def swap(frame: Any, **members: object) -> Any:
    """The frame with other members."""
    return msgspec.structs.replace(frame, **members)
