"""`python -m messenger.stack.serve_daphne` and Daphne's own options: Daphne, made patient within bounds.

Daphne (4.2) reads all that a client sends: a body into memory or a temporary file, whole, before the
application sees any of it; frames into a queue without end; and a request that never comes to its end it
awaits for ever, as long as a byte comes each minute. Here

1. a request must be there, head and body, REQUEST_SECONDS after its connection (or the answer before it);
2. a body of more than LIMITS.http_body_bytes is answered by 413 when that shows, and none rests in a file;
3. a websocket with FRAMES_MOST frames that the application has not looked at is not read on; nor is one, for
   a moment, that sends control frames in a row;
4. a websocket for which UNSENT_MOST bytes wait, as its peer takes nothing, is cut.

And a message costs half (docs/decisions/9): a whole binary message, which is all that an honest page sends,
goes from the stream to the application and back without Autobahn's states, log lines and the reactor's turns.

All of it is subclassing. chat/tests/test_limits_servers.py and test_daphne_frames.py fail where another
Daphne, Autobahn or Twisted lost it.
"""

import asyncio
import sys
from io import BytesIO
from typing import Any

import messenger.stack.loop  # noqa: F401 # it must be the first

# isort: split
from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import reactor
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from websockets.frames import apply_mask  # type: ignore[attr-defined]

from messenger import bodies
from messenger.stack.frames import (
    CONTROL,
    CONTROL_SECONDS,
    FRAMES_MOST,
    LOOK_AGAIN_SECONDS,
    WHOLE_BINARY,
    frame_in,
    header_of,
)

clock: Any = reactor

REQUEST_SECONDS = 20
UNSENT_MOST = 1024 * 1024  # four windows of items: a page takes one before it is sent the next
#: Close codes of those who sent what nobody has to read: bad frames, too long, too many.
CUT_OFF = (4400, 4413, 4429)
FAREWELL_SECONDS = 0.5

TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
BAD_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TOO_BIG = (
    b"HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\nCache-Control: no-store\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(bodies.ANSWER), bodies.ANSWER)
)


class Request(WebRequest):  # type: ignore[misc]
    """One HTTP request, its body in memory and within the limit."""

    is_too_big = False

    def gotLength(self, length: int | None) -> None:
        """The head is there; `length` is what it announces."""
        self.content = BytesIO()
        self._check(length or 0)

    def handleContentChunk(self, data: bytes) -> None:
        """A piece of the body."""
        self._check(self.content.tell() + len(data))
        if not self.is_too_big:
            super().handleContentChunk(data)

    def process(self) -> Any:
        """All is there. A handshake has no body: Autobahn would parse it as frames, all at once."""
        if self.requestHeaders.hasHeader(b"upgrade") and self.content.getbuffer().nbytes:
            self.channel.refuse(BAD_HANDSHAKE)
        elif not self.is_too_big:
            channel, answer = self.channel, super().process()
            if self.transport is None:  # it is a websocket's now; who asked for that would be kept with it
                channel.requests.clear()
            return answer
        return None

    def _check(self, size: int) -> None:
        if size > settings.LIMITS.http_body_bytes and not self.is_too_big:
            self.is_too_big = True
            self.channel.refuse(TOO_BIG)


class Channel(HTTPChannel):
    """One connection, until it becomes a websocket."""

    _deadline: Any = None

    @property
    def requestFactory(self) -> type[Request]:
        """Ours, whatever Daphne's factory sets."""
        return Request

    @requestFactory.setter
    def requestFactory(self, _: object) -> None: ...

    def refuse(self, answer: bytes) -> None:
        """Say this and hang up."""
        transport: Any = self.transport
        transport.write(answer)
        self.loseConnection()  # type: ignore[no-untyped-call]

    def connectionMade(self) -> None:
        """A request is awaited."""
        super().connectionMade()  # type: ignore[no-untyped-call]
        self._wait()

    def allContentReceived(self) -> None:
        """It is there."""
        self._wait_no_more()
        super().allContentReceived()  # type: ignore[no-untyped-call]

    def requestDone(self, request: Request) -> None:
        """It is answered; another may come."""
        self._wait()
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The end."""
        self._wait_no_more()
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _wait(self) -> None:
        self._wait_no_more()
        self._deadline = clock.callLater(REQUEST_SECONDS, self.refuse, TIMED_OUT)

    def _wait_no_more(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()


class WebSocket(WebSocketProtocol):  # type: ignore[misc]
    """One websocket, read no faster than the application takes its frames, and written in one piece.

    Frames are cut out of the stream here. A whole binary message goes straight to the application. Autobahn
    gets everything else, one frame at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._unread = b""
        self._unsent: list[bytes] = []
        self._behind_bytes = 0
        self._is_asked = self._is_paused = self._is_cut_off = self._is_behind = False
        self._control_at = float("-inf")

    def connectionMade(self) -> None:
        """The handshake begins. What had the transport before watches its writing no more."""
        self.transport.unregisterProducer()
        super().connectionMade()

    # --- reading ------------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """The request, as Daphne hands it over; then what comes."""
        if self._is_asked:
            self._unread += data
            self._read_on()
        else:
            self._is_asked = True
            super().dataReceived(data)

    def onOpen(self) -> None:
        """The handshake is over."""
        super().onOpen()
        asyncio.get_running_loop().call_soon(self._read_on)

    def _read_on(self) -> None:
        """Take the frames that are there, until the application has enough to do."""
        if self.state == self.STATE_CONNECTING:
            return
        data, at = self._unread, 0
        while not self._is_paused and (frame := frame_in(data, at)) is not None:
            start, end = frame
            self._take(data, at, start, end)
            at = end
        self._unread = data[at:]

    def _take(self, data: bytes, at: int, start: int, end: int) -> None:
        """The frame data[at:end], whose payload begins at `start`, or that is none."""
        if data[at] == WHOLE_BINARY and start and self._is_calm():
            self.onMessage(apply_mask(data[start:end], data[start - 4 : start]), True)
            return
        super().dataReceived(data[at:end])
        if data[at] & CONTROL:
            self._pace_control()

    def _is_calm(self) -> bool:
        """No message has begun, no pong is awaited, nobody closes."""
        return self.state == self.STATE_OPEN and not self.inside_message and self.autoPingTimeoutCall is None

    def _pace_control(self) -> None:
        """Let who sends control frames in a row wait: pages have one pong to give from time to time."""
        now = clock.seconds()
        if now - self._control_at < CONTROL_SECONDS:
            self._pause()
        self._control_at = now

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A message."""
        super().onMessage(payload, isBinary)
        if self.application_queue.qsize() >= FRAMES_MOST:
            self._pause()

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self.transport.pauseProducing()
            clock.callLater(LOOK_AGAIN_SECONDS, self._look_again)

    def _look_again(self) -> None:
        if self._is_cut_off or self.state == self.STATE_CLOSED:
            return
        if self.application_queue.qsize() >= FRAMES_MOST // 2:
            clock.callLater(LOOK_AGAIN_SECONDS, self._look_again)
            return
        self._is_paused = False
        self._read_on()
        if not self._is_paused:
            self.transport.resumeProducing()

    # --- writing ------------------------------------------------------------------------------------

    def serverSend(self, content: bytes, binary: bool = False) -> None:
        """Send a message, in one piece with whatever else is sent in this turn of the loop."""
        if self.state != self.STATE_OPEN or not binary:
            super().serverSend(content, binary)
            return
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent += (header_of(len(content)), content)
        if self._is_behind:
            self._behind_bytes += len(content)
            if self._behind_bytes > UNSENT_MOST:
                self.transport.abortConnection()

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Write what is Autobahn's, in its place among the messages."""
        self._unsent.append(data)
        self._flush()

    def _flush(self) -> None:
        """Write what the kernel takes, at once: to wait for the reactor's word costs more than to write."""
        if self._is_behind or not self._unsent:
            return
        data = b"".join(self._unsent)
        self._unsent.clear()
        written = self.transport.writeSomeData(data)
        if written != len(data):
            self.transport.write(data if isinstance(written, Exception) else data[written:])
            self.transport.registerProducer(self, False)
            self._is_behind = True

    def connectionLost(self, *reason: Failure) -> None:
        """The end. Autobahn gives itself to `is_closed`: a cycle, which holds the client's address."""
        self._unsent.clear()
        self._is_cut_off = True
        super().connectionLost(*reason)
        self.is_open = self.is_closed = None

    def resumeProducing(self) -> None:
        """The transport has written all of it (or is asking for the first time)."""
        if self._is_behind:
            self._is_behind, self._behind_bytes = False, 0
            self.transport.unregisterProducer()
            self._flush()

    def stopProducing(self) -> None:
        """The transport will write no more."""

    def serverClose(self, code: int | None = None) -> None:
        """Close. Of who was cut off nothing more is read; Autobahn would parse it all until the end."""
        super().serverClose(code)
        if code in CUT_OFF:
            self._is_paused = self._is_cut_off = True
            self.transport.pauseProducing()
            clock.callLater(FAREWELL_SECONDS, self.transport.loseConnection)


def configured(factory: Any) -> type[WebSocket]:
    """WebSocket with the factory's options. Autobahn would copy them into each socket, and print them."""
    options = {name: getattr(factory, name) for name in WebSocket.CONFIG_ATTRS}
    # As a class's own a function would be a method, and get the socket as its first argument.
    own = {name: staticmethod(value) if callable(value) else value for name, value in options.items()}
    return type("WebSocket", (WebSocket,), {**own, "CONFIG_ATTRS": ()})


class PatientServer(Server):  # type: ignore[misc]
    """Daphne's server, whose connections are the ones above."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "ready_callable": self._dress})

    def _dress(self) -> None:
        """Called when the factories are made and nobody has connected yet."""
        self.http_factory.protocol = Channel
        self.ws_factory.protocol = configured(self.ws_factory)


class CommandLine(CommandLineInterface):  # type: ignore[misc]
    server_class = PatientServer


if __name__ == "__main__":
    CommandLine().run(sys.argv[1:])
