"""Our short way through a stream of frames comes to what uvicorn's long way comes to."""

import asyncio
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from chat.tests.streams import BINARY, CLOSE, FINAL, PING, REQUEST, TEXT, cuts, frame, honest, ill
from messenger.stack import frames, serve_uvicorn

TURNS = 20


class Transport(asyncio.Transport):
    """It takes all that is written, and tells whether it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_reading_on, self.is_closed = True, False

    def write(self, data: Any) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.is_reading_on = False

    def resume_reading(self) -> None:
        self.is_reading_on = True

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


class Application:
    """Accepts, when it may, and keeps all that it gets, when it may."""

    def __init__(self) -> None:
        self.accepts, self.takes = asyncio.Event(), asyncio.Event()
        self.taken: list[Any] = []
        self.is_over = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.send = send
        await receive()
        await self.accepts.wait()
        await send({"type": "websocket.accept"})
        while not self.is_over:
            await self.takes.wait()
            self.taken.append(await receive())
            self.is_over = self.taken[-1]["type"] == "websocket.disconnect"

    def heard(self) -> list[Any]:
        return [each.get("bytes", each.get("text")) for each in self.taken]


async def opened(kind: type[WebSocketsSansIOProtocol], application: Application) -> Any:
    """A websocket of this kind whose handshake is over."""
    config = uvicorn.Config(
        application,
        log_config=None,
        lifespan="off",
        ws=kind,
        ws_max_size=131072,
        ws_per_message_deflate=False,
    )
    config.load()
    protocol = kind(config, ServerState(), {})
    transport = Transport()
    protocol.connection_made(transport)
    protocol.data_received(REQUEST)
    application.accepts.set()
    await pause()
    transport.written = b""
    return protocol


async def pause(turns: int = TURNS) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


def hurry(websocket: Any) -> None:
    """Look again at once at who was slowed down."""
    if getattr(websocket, "_is_slowed", False):
        websocket._look_again()


async def feed(websocket: Any, pieces: list[bytes], application: Application) -> None:
    """Let it read these pieces, each when it is willing, and the application all of them."""
    application.takes.set()
    for piece in pieces:
        await willing(websocket, application)
        if not websocket.transport.is_closing():
            websocket.data_received(piece)
    await willing(websocket, application)
    await pause()


async def willing(websocket: Any, application: Application) -> None:
    """Wait until it reads, or is over."""
    for _ in range(1000):
        if websocket.transport.is_reading_on or application.is_over:
            return
        hurry(websocket)
        await pause(1)
    raise AssertionError("nothing is read any more")


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    pieces = []
    for size in cuts:
        pieces.append(stream[:size])
        stream = stream[size:]
    return [piece for piece in (*pieces, stream) if piece]


@settings(max_examples=60, deadline=None)
@given(honest, ill, cuts)
def test_the_application_gets_what_uvicorn_would_give_it(
    stream: list[bytes], last: bytes, cuts: list[int]
) -> None:
    more = frame(FINAL | BINARY, b"more")

    async def compare() -> None:
        mine, theirs = Application(), Application()
        ours = await opened(serve_uvicorn.WebSocket, mine)
        plain = await opened(WebSocketsSansIOProtocol, theirs)
        await feed(ours, cut(b"".join([*stream, last, more, more]), cuts), mine)
        await feed(plain, [*stream, last, more, more], theirs)  # else what is ill spoils what comes with it
        assert mine.taken == theirs.taken
        assert ours.transport.written == plain.transport.written
        assert ours.queue.qsize() == plain.queue.qsize()
        assert ours.conn.state == plain.conn.state
        assert ours.transport.is_closed == plain.transport.is_closed

    asyncio.run(compare())


async def test_what_the_library_takes_for_a_frame_is_not_cut_into_others() -> None:
    application = Application()
    application.takes.set()
    websocket = await opened(serve_uvicorn.WebSocket, application)
    inside = frame(FINAL | BINARY, b"hidden")
    websocket.data_received(bytes([FINAL | BINARY, 0xFE, 0, len(inside)]) + bytes(4))  # oddly written
    websocket.data_received(inside)
    await pause()
    assert application.heard() == [inside]


async def test_what_comes_before_the_handshake_is_over_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    application = Application()
    application.takes.set()
    monkeypatch.setattr(application.accepts, "wait", asyncio.Event().wait)
    websocket = await opened(serve_uvicorn.WebSocket, application)
    websocket.data_received(frame(FINAL | BINARY, b"early"))
    await pause()
    assert not application.taken
    assert not websocket.transport.is_reading_on
    await websocket.send({"type": "websocket.accept"})
    assert websocket.transport.is_reading_on
    assert (await websocket.receive())["bytes"] == b"early"


async def test_a_socket_is_read_on_when_the_application_has_taken_what_was_there() -> None:
    application = Application()
    websocket = await opened(serve_uvicorn.WebSocket, application)
    many = frames.FRAMES_MOST + 10
    websocket.data_received(b"".join(frame(FINAL | BINARY, bytes([n])) for n in range(many)))
    assert websocket.queue.qsize() == frames.FRAMES_MOST
    assert not websocket.transport.is_reading_on
    application.takes.set()
    await pause(many * 2)
    assert application.heard() == [bytes([n]) for n in range(many)]
    assert websocket.transport.is_reading_on


async def test_no_more_is_read_while_the_application_is_behind() -> None:
    websocket = await opened(serve_uvicorn.WebSocket, Application())
    websocket.data_received(frame(FINAL | BINARY, b"first"))
    assert websocket.transport.is_reading_on
    websocket.data_received(frame(FINAL | BINARY, b"second"))
    assert not websocket.transport.is_reading_on


async def test_who_sends_control_frames_in_a_row_is_read_slowly() -> None:
    application = Application()
    websocket = await opened(serve_uvicorn.WebSocket, application)
    websocket.data_received(frame(FINAL | BINARY, b"") + frame(FINAL | PING, b"") * 1000)
    application.takes.set()
    await pause()
    assert application.heard() == [b""]
    assert len(websocket.transport.written) == 4  # two empty pongs
    assert not websocket.transport.is_reading_on
    for _ in range(10):
        websocket._look_again()
    assert len(websocket.transport.written) == 4 + 2 * 10


async def test_the_answer_to_a_close_is_read_though_the_application_takes_nothing_more() -> None:
    websocket = await opened(serve_uvicorn.WebSocket, Application())
    stream = frame(FINAL | BINARY, b"") * (frames.FRAMES_MOST + 1) + frame(FINAL | TEXT, b"")
    websocket.data_received(stream + frame(FINAL | CLOSE, (4409).to_bytes(2)))
    await websocket.send({"type": "websocket.send", "bytes": b"good-bye"})
    await websocket.send({"type": "websocket.close", "code": 4409})
    farewell = frame(FINAL | BINARY, b"good-bye", b"") + frame(FINAL | CLOSE, (4409).to_bytes(2), b"")
    assert websocket.transport.written == farewell
    assert websocket.transport.is_closed
    websocket.connection_lost(None)


async def test_who_does_not_take_what_is_written_is_waited_for() -> None:
    websocket = await opened(serve_uvicorn.WebSocket, Application())
    websocket.pause_writing()
    sending = asyncio.ensure_future(websocket.send({"type": "websocket.send", "bytes": b"late"}))
    await pause()
    assert not websocket.transport.written
    websocket.resume_writing()
    await sending
    assert websocket.transport.written == frame(FINAL | BINARY, b"late", b"")


async def test_nothing_is_written_to_who_has_closed() -> None:
    websocket = await opened(serve_uvicorn.WebSocket, Application())
    farewell = frame(FINAL | CLOSE, (1000).to_bytes(2), b"")
    websocket.data_received(frame(FINAL | CLOSE, (1000).to_bytes(2)))
    with pytest.raises(ClientDisconnected):
        await websocket.send({"type": "websocket.send", "bytes": b"late"})
    assert websocket.transport.written == farewell
