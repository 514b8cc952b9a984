"""`python -m messenger.stack.serve_uvicorn FD`: uvicorn on a socket that listens already.

uvicorn's own --fd takes every socket for a unix one, which loses TCP_NODELAY and the address family.
"""

import socket
import sys

import uvicorn

from messenger.stack.parts import GRACE_SECONDS


def main(listener: int) -> None:
    """Serves until SIGTERM; what is open then has GRACE_SECONDS."""
    config = uvicorn.Config(
        "messenger.asgi:application",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=131072,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=listener)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
