"""Whose page is speaking: the Origin header must be one of ALLOWED_ORIGINS, to the letter.

Channels' own validator compares host names, and fills in ports; here https://quarter.example is not
https://quarter.example:8443, and a request without an Origin is no page's.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]

REFUSED = 4403


def of_scope(scope: Scope) -> str | None:
    """The Origin where it is one of the allowed ones, and sent exactly once; else None."""
    sent = [value for name, value in scope["headers"] if name == b"origin"]
    origin = sent[0].decode("latin-1") if len(sent) == 1 else None
    return origin if origin in settings.ALLOWED_ORIGINS else None


def checked(application: Application) -> Application:
    """The websocket application for pages of ours alone; others are refused before the handshake (403)."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        await (application if of_scope(scope) else refuse)(scope, receive, send)

    return guarded


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """A websocket application that refuses everyone."""
    await receive()
    await send({"type": "websocket.close", "code": REFUSED})
