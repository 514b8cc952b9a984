"""What a socket says of its own writing, which an erasure's receipt counts."""

import asyncio
from typing import Any

import pytest

from chat import sockets
from chat.sockets import Message, Socket
from chat.tests.pages import DEADLINE_SECONDS

pytestmark = pytest.mark.usefixtures("here")

SCOPE = {"type": "websocket", "client": ("192.0.2.1", 50000), "headers": []}


class Quiet(Socket):
    """Takes no frame."""

    def decode(self, data: bytes) -> Any:
        raise NotImplementedError

    async def greet(self, frame: Any) -> None:
        raise NotImplementedError

    async def handle(self, frame: Any) -> None:
        raise NotImplementedError


async def was_written(frames: int, is_open: bool = True) -> bool:
    """Whether a socket says that so many frames were written to a page that goes as it hears the last one,
    or that takes nothing."""
    socket = Quiet()
    connected, gone = asyncio.Event(), asyncio.Event()
    heard: list[Message] = []

    async def receive() -> Message:
        if not connected.is_set():
            connected.set()
            return {"type": "websocket.connect"}
        await gone.wait()
        return {"type": "websocket.disconnect", "code": 1001}

    async def send(message: Message) -> None:
        if not is_open and message["type"] == "websocket.send":
            gone.set()
            raise OSError
        heard.append(message)
        if len(heard) == 1 + frames:
            gone.set()

    served = asyncio.create_task(socket(SCOPE, receive, send))
    await connected.wait()
    await asyncio.sleep(0)
    for _ in range(frames):
        socket.tell(b"frame")
    async with asyncio.timeout(DEADLINE_SECONDS):
        answer = await socket.flushed()
        gone.set()
        await served
    return answer


async def test_a_page_that_goes_as_it_hears_a_frame_was_told() -> None:
    assert await was_written(1)
    assert await was_written(3)


async def test_a_page_that_was_gone_before_was_not_told() -> None:
    assert not await was_written(1, is_open=False)


async def test_frames_that_were_thrown_away_were_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "FRAMES_WAITING", 2)
    assert not await was_written(3)
