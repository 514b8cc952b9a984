"""The doors of the application."""

from typing import Any

import pytest

from messenger.asgi import application
from messenger.tests.wire import call, open_websocket

JSON = {"content-type": "application/json", "origin": "http://localhost:8000"}
LIMIT = 256 * 1024
OURS = (b"origin", b"http://localhost:8000")


@pytest.mark.parametrize("path", ["/ws/send/", "/ws/receive/", "/ws/other/"])
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"origin", b"null")],
        [(b"origin", b"http://localhost")],
        [(b"origin", b"https://localhost:8000")],
        [(b"origin", b"http://localhost:8000.mallory.example")],
        [(b"origin", b"HTTP://LOCALHOST:8000")],
        [OURS, (b"origin", b"http://mallory.example")],
    ],
)
async def test_a_websocket_of_another_site_is_refused_before_the_handshake(
    path: str, headers: list[tuple[bytes, bytes]]
) -> None:
    assert await open_websocket(path, headers) == [{"type": "websocket.close", "code": 4403}]


@pytest.mark.parametrize("path", ["/", "/ws/", "/ws/sendx", "/ws/send/x"])
async def test_a_websocket_to_nowhere_is_refused(path: str) -> None:
    assert await open_websocket(path, [OURS]) == [{"type": "websocket.close", "code": 4403}]


async def test_a_body_over_the_limit_is_refused_by_its_announcement() -> None:
    answer = await call("POST", "/api/login", headers={**JSON, "content-length": str(LIMIT + 1)})
    assert (answer.status, answer.json()["error"]["code"]) == (413, "too_big")


async def test_a_body_over_the_limit_is_refused_when_it_comes_in_pieces() -> None:
    answer = await call("POST", "/api/login", body=[b"x" * (LIMIT // 2 + 1)] * 2, headers=JSON)
    assert (answer.status, answer.json()["error"]["code"]) == (413, "too_big")


async def test_a_body_at_the_limit_is_read_whole() -> None:
    answer = await call("POST", "/api/login", body=[b" " * (LIMIT - 2), b"{}"], headers=JSON)
    assert (answer.status, answer.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize("header", ["daphne-root-path", "Daphne-Root-Path"])
async def test_no_client_can_move_the_root(header: str) -> None:
    answer = await call("GET", "/robots.txt", headers={header: "/elsewhere"}, root_path="/elsewhere")
    assert answer.status == 200


async def test_a_host_that_is_not_ours_is_refused() -> None:
    assert (await call("GET", "/", headers={"host": "mallory.example"})).status == 400


async def test_a_client_that_leaves_while_it_sends_costs_nothing() -> None:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/login", "headers": []}
    await application(scope, receive, send)
    assert sent == []


async def test_uvicorn_is_told_that_we_are_ready() -> None:
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await application({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
