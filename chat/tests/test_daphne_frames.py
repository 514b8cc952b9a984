"""Our short way through a stream of frames comes to what Autobahn's long way comes to."""

import asyncio
from typing import Any

import pytest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from chat.tests.streams import BINARY, CLOSE, FINAL, PING, REQUEST, cuts, frame, honest, ill
from messenger.stack import frames, serve_daphne


class Transport(StringTransport):
    """The kernel takes `room` bytes and no more."""

    room = 1 << 30

    def writeSomeData(self, data: bytes) -> int:
        taken = data[: self.room]
        self.room -= len(taken)
        self.write(taken)  # type: ignore[no-untyped-call]
        return len(taken)

    def unregisterProducer(self) -> None:
        """A real one doesn't mind that there is none."""
        self.producer = None


class Server:
    """As much of Daphne's server as a protocol asks for."""

    def protocol_disconnected(self, protocol: object) -> None: ...

    def log_action(self, *_: object) -> None: ...


def opened(kind: type[WebSocketProtocol]) -> Any:
    """A websocket of this kind whose handshake is over."""

    class Here(kind):  # type: ignore[misc]
        def onConnect(self, request: Any) -> None:
            self.request, self.client_addr, self.server = request, None, Server()
            self.application_queue: asyncio.Queue[Any] = asyncio.Queue()
            self.last_ping = 0.0

    factory = WebSocketFactory(Server(), server="test")
    factory.setProtocolOptions(maxMessagePayloadSize=131072, maxFramePayloadSize=131072)
    factory.protocol = Here
    protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
    transport: Any = Transport(lenient=True)  # type: ignore[no-untyped-call]
    transport.registerProducer(HTTPChannel(), True)  # type: ignore[no-untyped-call]
    protocol.makeConnection(transport)
    protocol.dataReceived(REQUEST)
    assert protocol.state == protocol.STATE_OPEN
    protocol.transport.clear()
    return protocol


def took(protocol: Any) -> list[Any]:
    queue, taken = protocol.application_queue, []
    while not queue.empty():
        taken.append(queue.get_nowait())
    return taken


def feed(protocol: Any, stream: bytes, cuts: list[int], clock: Clock) -> list[Any]:
    """All that the application gets of the stream, which comes in pieces of these lengths."""
    taken = []
    for cut in [*cuts, len(stream)]:
        protocol.dataReceived(stream[:cut])
        stream = stream[cut:]
        taken += took(protocol)
        clock.advance(frames.LOOK_AGAIN_SECONDS)
    for _ in range(10):
        clock.advance(frames.LOOK_AGAIN_SECONDS)
        taken += took(protocol)
    return taken


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    ticking = Clock()
    monkeypatch.setattr(serve_daphne, "clock", ticking)
    return ticking


@settings(max_examples=60)
@given(st.tuples(honest.map(b"".join), ill).map(b"".join), cuts)
def test_the_application_gets_what_autobahn_would_give_it(stream: bytes, cuts: list[int]) -> None:
    async def compare() -> None:
        clock = Clock()
        ours, plain = opened(serve_daphne.WebSocket), opened(WebSocketProtocol)
        real, serve_daphne.clock = serve_daphne.clock, clock
        try:
            assert feed(ours, stream, cuts, clock) == feed(plain, stream, cuts, clock)
        finally:
            serve_daphne.clock = real
        assert ours.state == plain.state
        assert ours.transport.value() == plain.transport.value()

    asyncio.run(compare())


async def test_what_comes_before_the_handshake_is_over_waits_for_it(clock: Clock) -> None:
    websocket = opened(serve_daphne.WebSocket)
    websocket.state = websocket.STATE_CONNECTING
    websocket.dataReceived(frame(FINAL | BINARY, b"early"))
    assert not took(websocket)
    websocket.state = websocket.STATE_OPEN
    websocket.onOpen()
    await asyncio.sleep(0)
    assert [each["bytes"] for each in took(websocket)] == [b"early"]


async def test_who_sends_control_frames_in_a_row_is_read_slowly(clock: Clock) -> None:
    websocket = opened(serve_daphne.WebSocket)
    websocket.dataReceived(frame(FINAL | PING, b"") * 1000)
    answered = len(websocket.transport.value())
    for _ in range(10):
        clock.advance(frames.LOOK_AGAIN_SECONDS)
    assert answered == 4  # two empty pongs
    assert len(websocket.transport.value()) == answered + 2 * 10


async def test_what_was_sent_to_somebody_who_left_goes_nowhere(clock: Clock) -> None:
    websocket = opened(serve_daphne.WebSocket)
    websocket.serverSend(b"good-bye", True)
    websocket.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]
    await asyncio.sleep(0)
    assert not websocket.transport.value()


async def test_what_the_kernel_does_not_take_is_written_in_order_and_before_the_close(clock: Clock) -> None:
    websocket = opened(serve_daphne.WebSocket)
    websocket.transport.room = 3
    for payload in (b"first", b"second", b"x" * 300):
        websocket.serverSend(payload, True)
    await asyncio.sleep(0)
    websocket.serverSend(b"later", True)
    websocket.serverClose(4409)
    websocket.transport.room = 1 << 30
    websocket.transport.producer.resumeProducing()
    assert websocket.transport.value() == b"".join(
        frame(first, payload, b"")
        for first, payload in (
            (FINAL | BINARY, b"first"),
            (FINAL | BINARY, b"second"),
            (FINAL | BINARY, b"x" * 300),
            (FINAL | BINARY, b"later"),
            (FINAL | CLOSE, (4409).to_bytes(2)),
        )
    )
    assert websocket.transport.producer is None


async def test_a_peer_that_takes_nothing_of_much_is_cut(clock: Clock) -> None:
    websocket = opened(serve_daphne.WebSocket)
    websocket.transport.room = 0
    websocket.serverSend(b"first", True)
    await asyncio.sleep(0)
    for _ in range(4):
        websocket.serverSend(bytes(serve_daphne.UNSENT_MOST // 4), True)
    assert not websocket.transport.disconnecting
    websocket.serverSend(b"one more", True)
    assert websocket.transport.disconnecting
