"""Closing sockets with 1012 (service restart) when the server ends.

uvicorn does so by itself at SIGTERM. Daphne (4.2.3) closes nothing: its reactor cancels the applications and
doesn't wait for what they write, and Autobahn's `sendClose` takes only 1000 and 3000 to 4999 from an
application. So here the reactor is given something to wait for, and the close frame is written by the
protocol that Daphne's `send` is bound to. chat/tests/test_servers.py fails where either changes.
"""

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable
from typing import Any

RESTART = 1012
FLUSH_SECONDS = 0.1

Send = Callable[[dict[str, Any]], Awaitable[None]]


async def close(send: Send, code: int) -> None:
    """Close a websocket of any server with this code."""
    protocol: Any = send.args[0] if isinstance(send, functools.partial) and send.args else None
    if code == RESTART and hasattr(protocol, "sendCloseFrame"):
        protocol.sendCloseFrame(code=RESTART)
    else:
        await send({"type": "websocket.close", "code": code})


def is_gone(error: Exception) -> bool:
    """Whether a server says with this that the peer has left: uvicorn by an OSError, Autobahn by its own."""
    return isinstance(error, OSError) or type(error).__name__ == "Disconnected"


def hold_reactor(until_closed: Callable[[], Awaitable[None]]) -> None:
    """Where Twisted's reactor runs this process, let its shutdown wait until the sockets are closed."""
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is None or not getattr(reactor, "running", False):
        return
    from twisted.internet.defer import Deferred

    async def flush() -> None:
        await until_closed()
        await asyncio.sleep(FLUSH_SECONDS)  # the transports write in a later turn of the loop

    def closed() -> "Deferred[None]":
        return Deferred.fromFuture(asyncio.ensure_future(flush()))

    reactor.addSystemEventTrigger("before", "shutdown", closed)
