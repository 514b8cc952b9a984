"""A client of the ASGI application itself: what a server would hand over, and what it would be given back."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from messenger.asgi import application

ORIGIN = "http://localhost:8000"
SECONDS = 10


@dataclass(frozen=True)
class Answer:
    """An HTTP response; header names in lower case, the last of each name counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def http_scope(method: str, path: str, headers: Mapping[str, str], client: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(errors="surrogatepass"),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": (client, 50000),
        "server": ("localhost", 8000),
    }


async def call(
    method: str,
    path: str,
    *,
    body: bytes | Iterable[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    client: str = "192.0.2.1",
    root_path: str = "",
    query: bytes = b"",
) -> Answer:
    """One request; `body` in pieces goes as a chunked one."""
    pieces = [body] if isinstance(body, bytes) else list(body)
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()  # a client that stays
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = http_scope(method, path, {"host": "localhost:8000", **(headers or {})}, client)
    scope |= {"root_path": root_path, "query_string": query}
    async with asyncio.timeout(SECONDS):
        await application(scope, receive, send)
    start, *rest = sent
    return Answer(
        start["status"],
        {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]},
        b"".join(part.get("body", b"") for part in rest),
    )


async def post(
    path: str, body: Any, *, headers: Mapping[str, str] | None = None, client: str = "192.0.2.1"
) -> Answer:
    """A call of the API, as a page of ours would make it."""
    given = {"origin": ORIGIN, "content-type": "application/json", **(headers or {})}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await call("POST", path, body=raw, headers=given, client=client)


async def open_websocket(path: str, headers: Iterable[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
    """What the application says to a websocket that wants to open."""
    sent: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = [
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1001},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        **http_scope("GET", path, {}, "192.0.2.1"),
        "type": "websocket",
        "headers": list(headers),
        "subprotocols": [],
    }
    async with asyncio.timeout(SECONDS):
        await application(scope, receive, send)
    return sent
