"""How much of an HTTP request is read: at most LIMITS.http_body_bytes, whole and in memory.

Daphne has no such limit, and Django would spool a larger body into a temporary file before it looks at it.
"""

import json
from typing import Any

from django.conf import settings

from messenger.origins import Application, Receive, Scope, Send

ERROR = {"code": "too_big", "message": "This request is too big.", "retry_after": None}
ANSWER = json.dumps({"error": ERROR}).encode()


class BodyTooBig(Exception):
    """The body is longer than allowed."""


def limited(application: Application) -> Application:
    """The http application, given bodies up to the limit; longer ones are answered by 413."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _read(scope, receive)
        except BodyTooBig:
            await _say_too_big(send)
        else:
            if body is not None:
                await application(scope, _replay(body, receive), send)

    return guarded


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body; None where the client left meanwhile."""
    if _announced_bytes(scope) > settings.LIMITS.http_body_bytes:
        raise BodyTooBig
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > settings.LIMITS.http_body_bytes:
            raise BodyTooBig
        if not message.get("more_body", False):
            return bytes(body)


def _announced_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:12])
    return 0


def _replay(body: bytes, receive: Receive) -> Receive:
    first: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> dict[str, Any]:
        return first.pop() if first else await receive()

    return replayed


async def _say_too_big(send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(ANSWER)).encode()),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})
