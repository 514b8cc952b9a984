"""The two websockets of a client, as one connection: it is there when both are, and gone when either is.

`connect` returns when both have said `ready`. Then `frames()` gives what comes on either, in each one's
order, `say` sends without waiting, and `ask` waits for the answer with its number. `Lost` ends all of them.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar, cast

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin

from reference import trouble, wire

READY_SECONDS = 10.0
NOT_LOGGED_IN = 4401
ELSEWHERE = 4409
NO_CODE = 1006
FRAMES_WAITING = 256
FRAME_BYTES_MAX = 1 << 20

Answer = wire.SendReply
Reply = wire.SendReply | wire.ReceiveReply
T = TypeVar("T")
Request = Callable[[int], wire.Frame]


class Lost(Exception):
    """The connection is gone; `code` is what the server closed it with, 1006 where it did not."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Connection:
    """See above."""

    def __init__(self, send: ClientConnection, receive: ClientConnection) -> None:
        self._sockets = {"send": send, "receive": receive}
        self._waiting: dict[str, asyncio.Queue[bytes]] = {name: asyncio.Queue() for name in self._sockets}
        self._heard: asyncio.Queue[Reply | Lost] = asyncio.Queue(FRAMES_WAITING)
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Answer]] = {}
        self._lost: Lost | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.limits: wire.Limits
        self.sessions: list[wire.SessionInfo]

    async def greet(self, token: str, cursors: dict[str, int]) -> None:
        """Say both hellos (the server waits 5 s for each), then wait for both `ready`; Lost, TimeoutError."""
        send, receive = self._sockets["send"], self._sockets["receive"]
        try:
            await send.send(wire.encode(wire.SendHello(token)))
            await receive.send(wire.encode(wire.ReceiveHello(token, cursors)))
            greeted = wire.decode(wire.send_replies, await send.recv())
            if not isinstance(greeted, wire.SendReady):
                raise _refused(greeted)
            ready = wire.decode(wire.receive_replies, await receive.recv())
            if not isinstance(ready, wire.ReceiveReady):
                raise _refused(ready)
        except ConnectionClosed as error:
            raise _lost(error) from None
        except wire.BadFrame:
            raise Lost(NO_CODE) from None
        self.limits, self.sessions = greeted.limits, ready.sessions
        self._tasks = [
            asyncio.create_task(self._listen("send", wire.send_replies)),
            asyncio.create_task(self._listen("receive", wire.receive_replies)),
            *(asyncio.create_task(self._speak(name)) for name in self._sockets),
        ]

    def say(self, frame: wire.Frame) -> None:
        """Send a frame, soon; nothing happens where the connection is gone."""
        name = "receive" if isinstance(frame, wire.Taken | wire.Resync) else "send"
        self._waiting[name].put_nowait(wire.encode(frame))

    async def ask(self, request: Request) -> Answer:
        """Send the request that is made with a number, and give its answer, which may be an Error; Lost."""
        if self._lost:
            raise self._lost
        number = next(self._numbers)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self.say(request(number))
        try:
            return await answer
        finally:
            del self._asked[number]

    async def frames(self) -> AsyncIterator[Reply]:
        """What the server says, without the answers to `ask`; ends with Lost."""
        while True:
            heard = await self._heard.get()
            if isinstance(heard, Lost):
                raise heard
            yield heard

    def give_up(self) -> None:
        """Close both, soon, as the server is silent; `frames` ends with Lost."""
        self._tasks += [asyncio.create_task(socket.close()) for socket in self._sockets.values()]

    async def close(self) -> None:
        """Close both."""
        self._lose(Lost(NO_CODE))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(socket.close() for socket in self._sockets.values()))

    async def _listen(self, name: str, decoder: Any) -> None:
        try:
            async for data in self._sockets[name]:
                await self._hear(wire.decode(decoder, data))
            lost = Lost(self._sockets[name].close_code or NO_CODE)
        except ConnectionClosed as error:
            lost = _lost(error)
        except wire.BadFrame:
            lost = Lost(NO_CODE)
        self._lose(lost)
        await self._heard.put(lost)

    async def _hear(self, frame: Reply) -> None:
        if isinstance(frame, wire.Items):
            for item in frame.items:
                await self._heard.put(item)
            return
        asked = None
        if (
            isinstance(frame, wire.Ok | wire.Key | wire.Seal | wire.Erased | wire.Error)
            and frame.id is not None
        ):
            asked = self._asked.get(frame.id)
            if asked is not None and not asked.done():
                asked.set_result(frame)
        if asked is None:
            await self._heard.put(frame)

    async def _speak(self, name: str) -> None:
        waiting = self._waiting[name]
        while True:
            data = await waiting.get()
            with contextlib.suppress(ConnectionClosed):
                await self._sockets[name].send(data)

    def _lose(self, lost: Lost) -> None:
        self._lost = self._lost or lost
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(self._lost)


async def connect(origin: str, token: str, cursors: dict[str, int]) -> Connection:
    """Both websockets, open and greeted; Unreachable where the server is not there, Lost where it closes."""
    sockets: list[ClientConnection] = []
    try:
        async with asyncio.timeout(READY_SECONDS):
            for name in ("send", "receive"):
                sockets.append(await _open(origin, name))
            connection = Connection(*sockets)
            await connection.greet(token, cursors)
            return connection
    except BaseException as error:
        for socket in sockets:
            await socket.close()
        if isinstance(error, TimeoutError):
            raise trouble.Unreachable("no answer") from None
        if isinstance(error, OSError | InvalidHandshake):
            raise trouble.Unreachable(str(error)) from None
        raise


async def _open(origin: str, name: str) -> ClientConnection:
    address = f"{origin.replace('http', 'ws', 1)}/ws/{name}/"
    return await open_websocket(
        address, origin=cast(Origin, origin), compression=None, max_size=FRAME_BYTES_MAX
    )


def _lost(error: ConnectionClosed) -> Lost:
    return Lost(error.rcvd.code if error.rcvd else NO_CODE)


def _refused(frame: Reply) -> Lost:
    """Instead of `ready` an error has come; the server closes after it."""
    is_token = isinstance(frame, wire.Error) and frame.code == "not_logged_in"
    return Lost(NOT_LOGGED_IN if is_token else NO_CODE)
