"""`python -m messenger.stack.serve_uvicorn fd:3` or `… 0.0.0.0:8000`: uvicorn, silent about its visitors.

It takes a socket that listens already, or makes one. (uvicorn's own --fd takes every socket for a unix one,
which loses TCP_NODELAY and the address family.)
"""

import socket
import sys

import uvicorn

from messenger.stack.parts import GRACE_SECONDS


def main(where: str) -> None:
    """Serves until SIGTERM; what is open then has GRACE_SECONDS."""
    config = uvicorn.Config(
        "messenger.asgi:application",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        ws="websockets-sansio",
        ws_max_size=131072,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[_listener(where)])


def _listener(where: str) -> socket.socket:
    host, _, number = where.rpartition(":")
    if host == "fd":
        return socket.socket(fileno=int(number))
    return socket.create_server((host, int(number)), backlog=1024)


if __name__ == "__main__":
    main(sys.argv[1])
