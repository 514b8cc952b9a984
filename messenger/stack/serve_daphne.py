"""`python -m messenger.stack.serve_daphne` and Daphne's own options: Daphne, made patient within bounds.

Daphne (4.2) reads all that a client sends: a body into memory or a temporary file, whole, before the
application sees any of it; frames into a queue without end; and a request that never comes to its end it
awaits for ever, as long as a byte comes each minute. Here

1. a request must be there, head and body, REQUEST_SECONDS after its connection (or the answer before it);
2. a body of more than LIMITS.http_body_bytes is answered by 413 when that shows, and none rests in a file;
3. a websocket with FRAMES_MOST frames that the application has not looked at is not read on, and none is
   read more of at a time than READ_BYTES: all frames in them are parsed before anybody else has a turn.

All of it is subclassing. chat/tests/test_limits_servers.py fails where another Daphne or Twisted lost it.
"""

import sys
from io import BytesIO
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from twisted.internet import reactor
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from messenger import bodies

clock: Any = reactor

REQUEST_SECONDS = 20
FRAMES_MOST = 64
LOOK_AGAIN_SECONDS = 0.02
READ_BYTES = 8192
#: Close codes of those who sent what nobody has to read: bad frames, too long, too many.
CUT_OFF = (4400, 4413, 4429)
FAREWELL_SECONDS = 0.5

TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
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
        """All is there."""
        return None if self.is_too_big else super().process()

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
    """One websocket, read no faster than the application takes its frames."""

    _is_paused = _is_cut_off = False

    def connectionMade(self) -> None:
        """The handshake begins."""
        super().connectionMade()
        self.transport.bufferSize = READ_BYTES

    def serverClose(self, code: int | None = None) -> None:
        """Close. Of who was cut off nothing more is read; Autobahn would parse it all until the end."""
        super().serverClose(code)
        if code in CUT_OFF:
            self._is_paused = self._is_cut_off = True
            self.transport.pauseProducing()
            clock.callLater(FAREWELL_SECONDS, self.transport.loseConnection)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A frame."""
        super().onMessage(payload, isBinary)
        if not self._is_paused and self.application_queue.qsize() >= FRAMES_MOST:
            self._is_paused = True
            self.transport.pauseProducing()
            clock.callLater(LOOK_AGAIN_SECONDS, self._look_again)

    def _look_again(self) -> None:
        if self.application_queue.qsize() >= FRAMES_MOST // 2:
            clock.callLater(LOOK_AGAIN_SECONDS, self._look_again)
        elif not self._is_cut_off:
            self._is_paused = False
            self.transport.resumeProducing()


class PatientServer(Server):  # type: ignore[misc]
    """Daphne's server, whose connections are the ones above."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "ready_callable": self._dress})

    def _dress(self) -> None:
        """Called when the factories are made and nobody has connected yet."""
        self.http_factory.protocol = Channel
        self.ws_factory.protocol = WebSocket


class CommandLine(CommandLineInterface):  # type: ignore[misc]
    server_class = PatientServer


if __name__ == "__main__":
    CommandLine().run(sys.argv[1:])
