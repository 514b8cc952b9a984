"""`python -m messenger.stack.serve_uvicorn fd:3` or `… 0.0.0.0:8000`: uvicorn, silent about its visitors.

It takes a socket that listens already, or makes one. (uvicorn's own --fd takes every socket for a unix one,
which loses TCP_NODELAY and the address family.) A request that is not there in time, head and body, is
given up: uvicorn itself would await it for ever.
"""

import asyncio
import socket
import sys

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from messenger.stack import preflight
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


def main(where: str) -> None:
    """Serves until SIGTERM; what is open then has GRACE_SECONDS."""
    config = uvicorn.Config(
        "messenger.asgi:application",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        http=Http,
        ws="websockets-sansio",
        ws_max_size=131072,
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
