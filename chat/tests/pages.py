"""A page's two sockets, over a real connection (websockets) or in this process (channels' communicator)."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol, TypeVar

import msgspec
import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chat import wire
from chat.routing import websocket_urlpatterns
from chat.tests.people import Person
from chat.tests.servers import ORIGIN

#: So long takes only what never comes, also beside other tests and while a server starts.
DEADLINE_SECONDS = 60.0
application = URLRouter(websocket_urlpatterns)
Frame = TypeVar("Frame")

_decoders: dict[str, Any] = {
    name: msgspec.msgpack.Decoder(wire.SOCKETS[name, "server"]) for name in ("send", "receive")
}


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Pipe(Protocol):
    async def send(self, data: bytes) -> None: ...
    async def read(self) -> bytes: ...
    async def close(self) -> None: ...


class Real:
    """Over the network."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, data: bytes) -> None:
        await self._connection.send(data)

    async def read(self) -> bytes:
        try:
            data = await self._connection.recv()
        except ConnectionClosed as error:
            raise Closed(error.rcvd.code if error.rcvd else 1006) from None
        assert isinstance(data, bytes)
        return data

    async def close(self) -> None:
        await self._connection.close()


class InProcess:
    """Straight into the application."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self._communicator = communicator

    async def send(self, data: bytes) -> None:
        await self._communicator.send_to(bytes_data=data)

    async def read(self) -> bytes:
        message = await self._communicator.output_queue.get()
        if message["type"] == "websocket.close":
            raise Closed(message["code"])
        data = message["bytes"]
        assert isinstance(data, bytes)
        return data

    async def close(self) -> None:
        await self._communicator.disconnect()


class Socket:
    """One socket, spoken in frames."""

    def __init__(self, name: str, pipe: Pipe) -> None:
        self.name, self.pipe = name, pipe
        self._items: deque[wire.Item] = deque()

    async def send(self, *frames: wire.Frame) -> None:
        for frame in frames:
            await self.pipe.send(wire.encode(frame))

    async def read(self) -> Any:
        """The next frame; the items of one frame come one by one."""
        if not self._items:
            async with asyncio.timeout(DEADLINE_SECONDS):
                frame = _decoders[self.name].decode(await self.pipe.read())
            if not isinstance(frame, wire.Items):
                return frame
            self._items.extend(frame.items)
        return self._items.popleft()

    async def expect(self, kind: type[Frame]) -> Frame:
        """The next frame, which must be of this kind."""
        frame = await self.read()
        assert isinstance(frame, kind), frame
        return frame

    async def ask(self, frame: wire.Frame, kind: type[Frame]) -> Frame:
        """Send one, expect another."""
        await self.send(frame)
        return await self.expect(kind)

    async def refused(self, frame: wire.Frame) -> str:
        """Send one, expect its refusal; the code."""
        return (await self.ask(frame, wire.Error)).code

    async def closed(self) -> int:
        """Read until the server closes; the code."""
        while True:
            try:
                await self.read()
            except Closed as error:
                return error.code

    async def is_silent(self) -> bool:
        """Whether nothing more comes before the answer to a resync."""
        return isinstance(await self.ask(wire.Resync({}), object), wire.CaughtUp)


class Timers:
    """When the server is to close sockets: kept here, and done when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._later: dict[tuple[float, object], tuple[asyncio.TimerHandle, Callable[[], None]]] = {}
        loop = asyncio.get_running_loop()
        self._call_later = loop.call_later
        monkeypatch.setattr(loop, "call_later", self._keep)

    def _keep(self, seconds: float, callback: Callable[..., None], *args: Any, **more: Any) -> object:
        handle = self._call_later(seconds, callback, *args, **more)
        if callback.__name__ == "close":
            self._later[seconds, *args] = handle, lambda: callback(*args)
        return handle

    def fire(self, seconds: float, code: int) -> None:
        """The time is over after which a socket was to be closed with this code."""
        assert not self.is_off(seconds, code)
        self._later.pop((seconds, code))[1]()

    def is_off(self, seconds: float, code: int) -> bool:
        """Whether a socket that was to be closed then with this code will not be."""
        return self._later[seconds, code][0].cancelled()


@contextlib.asynccontextmanager
async def open_socket(name: str, url: str | None = None, origin: str = ORIGIN) -> AsyncIterator[Socket]:
    """A socket on which nothing was said yet; without `url` in this process."""
    path = f"/ws/{name}/"
    if url is not None:
        given: Any = {"origin": origin, "compression": None, "open_timeout": DEADLINE_SECONDS}
        async with connect(url + path, **given) as connection:
            yield Socket(name, Real(connection))
        return
    communicator = WebsocketCommunicator(application, path, headers=[(b"origin", origin.encode())])
    is_open, _ = await communicator.connect(timeout=DEADLINE_SECONDS)
    assert is_open
    socket = Socket(name, InProcess(communicator))
    try:
        yield socket
    finally:
        await socket.pipe.close()


@contextlib.asynccontextmanager
async def sender(person: Person, url: str | None = None) -> AsyncIterator[Socket]:
    """A send socket, logged in."""
    async with open_socket("send", url) as socket:
        await socket.ask(wire.SendHello(person.token), wire.SendReady)
        yield socket


@contextlib.asynccontextmanager
async def receiver(
    person: Person, url: str | None = None, cursors: dict[str, int] | None = None
) -> AsyncIterator[Socket]:
    """A receive socket, logged in; `ready` is still to be read."""
    async with open_socket("receive", url) as socket:
        await socket.send(wire.ReceiveHello(person.token, cursors or {}))
        yield socket


@contextlib.asynccontextmanager
async def listener(person: Person, url: str | None = None) -> AsyncIterator[Socket]:
    """A receive socket that has caught up with nothing."""
    async with receiver(person, url) as socket:
        await socket.expect(wire.ReceiveReady)
        await socket.expect(wire.CaughtUp)
        yield socket
