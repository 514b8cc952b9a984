"""Who was here is forgotten when they leave, and not when the garbage collector comes by, hours later."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from django.core.handlers.asgi import ASGIRequest
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from messenger.asgi import Handler
from messenger.stack import serve_uvicorn
from messenger.tests.wire import call

SECONDS = 60


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/healthz", 200), ("POST", "/api/login/challenge", 400)],
)
async def test_a_request_is_forgotten_with_its_answer(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, status: int
) -> None:
    forgotten = asyncio.Event()

    class Request(ASGIRequest):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            weakref.finalize(self, forgotten.set)

    monkeypatch.setattr(Handler, "request_class", Request)
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)  # pytest would keep the record
    headers = {"content-type": "application/json", "origin": "http://localhost:8000"}
    assert (await call(method, path, headers=headers)).status == status
    async with asyncio.timeout(SECONDS):
        await forgotten.wait()


async def test_uvicorn_forgets_whose_websocket_it_was() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()

    config = uvicorn.Config(application, ws=serve_uvicorn.WebSocket, log_config=None, lifespan="off")
    config.load()
    loop, forgotten = asyncio.get_running_loop(), asyncio.Event()

    def protocol() -> serve_uvicorn.Http:
        made = serve_uvicorn.Http(config, ServerState(), {}, loop)
        weakref.finalize(made, forgotten.set)
        return made

    async with await loop.create_server(protocol, "127.0.0.1", 0) as listening, asyncio.timeout(SECONDS):
        host, port = listening.sockets[0].getsockname()
        async with connect(f"ws://{host}:{port}"):
            pass
        await forgotten.wait()
