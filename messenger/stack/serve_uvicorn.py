"""`python -m messenger.stack.serve_uvicorn fd:3` or `… 0.0.0.0:8000`: uvicorn, silent about its visitors.

It takes a socket that listens already, or makes one. (uvicorn's own --fd takes every socket for a unix one,
which loses TCP_NODELAY and the address family.) A request that is not there in time, head and body, is
given up: uvicorn itself would await it for ever. A whole binary message, which is all that an honest page
sends, goes from the stream to the application and back without the states of the library (docs/decisions/9).

All of it is subclassing, of uvicorn 0.54; chat/tests/test_limits_servers.py and test_uvicorn_frames.py fail
where another one lost it.
"""

import asyncio
import socket
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]
from websockets.protocol import State

from messenger.stack import preflight
from messenger.stack.frames import (
    CONTROL,
    CONTROL_SECONDS,
    FRAMES_MOST,
    LOOK_AGAIN_SECONDS,
    MESSAGE_BYTES,
    WHOLE_BINARY,
    frame_in,
    header_of,
)
from messenger.stack.parts import GRACE_SECONDS, PING_SECONDS, PONG_SECONDS

REQUEST_SECONDS = 20
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Http(HttpToolsProtocol):
    """One connection, until it becomes a websocket."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A request is awaited."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """Another one after it."""
        self._wait()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """It is there."""
        self._wait_no_more()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Another protocol goes on. The parser's callbacks would keep this one, and whose it is, for long."""
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self.transport.write(TIMED_OUT)
        self.transport.close()


class WebSocket(WebSocketsSansIOProtocol):
    """One websocket, read no faster than the application takes its frames.

    Frames are cut out of the stream here. A whole binary message goes straight to the application. The
    library gets everything else, one frame at a time.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unread = b""
        self._is_slowed = self._is_odd = False
        self._control_at = float("-inf")

    # --- reading ------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """The request, as Http hands it over; then what comes."""
        if not self.handshake_initiated or self._is_odd:
            super().data_received(data)
            return
        is_behind = not self.queue.empty()
        self._unread += data
        self._read_on()
        if is_behind or not self.handshake_complete:
            self._pause()

    def _read_on(self) -> None:
        """Take the frames that are there, until the application has enough to do."""
        if not self.handshake_complete:
            return
        data, at = self._unread, 0
        while not self._is_full() and (frame := frame_in(data, at)) is not None:
            start, end = frame
            self._take(data, at, start, end)
            at = end
        self._unread = data[at:]

    def _is_full(self) -> bool:
        return self.read_paused or self.transport.is_closing()

    def _take(self, data: bytes, at: int, start: int, end: int) -> None:
        """The frame data[at:end], whose payload begins at `start`, or that is none."""
        if data[at] == WHOLE_BINARY and start and not self.frames and self.conn.state is State.OPEN:
            payload = apply_mask(data[start:end], data[start - 4 : start])
            self.queue.put_nowait({"type": "websocket.receive", "bytes": payload})
            if self.queue.qsize() >= FRAMES_MOST:
                self._pause()
            return
        self._is_odd = not start  # what is no frame here may be the beginning of one to the library
        super().data_received(data[at:end])
        if data[at] & CONTROL:
            self._pace_control()

    def _pace_control(self) -> None:
        """Let who sends control frames in a row wait: pages have one pong to give from time to time."""
        now = self.loop.time()
        if now - self._control_at < CONTROL_SECONDS:
            self._is_slowed = True
            self._pause()
            self.loop.call_later(LOOK_AGAIN_SECONDS, self._look_again)
        self._control_at = now

    def _look_again(self) -> None:
        self._is_slowed = False
        if self.queue.empty() or self.close_sent:
            self._resume()

    def _pause(self) -> None:
        self.read_paused = True
        self.transport.pause_reading()

    def _resume(self) -> None:
        if self._is_slowed or not self.handshake_complete:
            return
        self.read_paused = False
        self._read_on()
        if not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """The application takes what comes next."""
        queue = self.queue
        message = await queue.get() if queue.empty() else queue.get_nowait()
        if self.read_paused and self.queue.empty():
            self._resume()
        return message

    # --- writing ------------------------------------------------------------------------------------

    async def send(self, message: Any) -> None:
        """Send a message; or accept, or close, after which what came meanwhile is read."""
        content = message.get("bytes")
        if content is not None:
            await self.writable.wait()
        if content is None or self.conn.state is not State.OPEN or self.disconnected:
            await super().send(message)
            self._resume()
        else:
            self.transport.writelines((header_of(len(content)), content))


def main(where: str) -> None:
    """Serves until SIGTERM; what is open then has GRACE_SECONDS."""
    config = uvicorn.Config(
        "messenger.asgi:application",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        backlog=preflight.BACKLOG,  # asyncio sets it anew
        http=Http,
        ws=WebSocket,
        ws_max_size=MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[_listener(where)])


def _listener(where: str) -> socket.socket:
    host, _, number = where.rpartition(":")
    if host == "fd":
        return socket.socket(fileno=int(number))
    return preflight.listen(host, int(number))


if __name__ == "__main__":
    main(sys.argv[1])
