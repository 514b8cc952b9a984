"""Writing to a peer who has left, as each server says it."""

import asyncio

import pytest
import structlog
from autobahn.exception import Disconnected
from uvicorn.protocols.utils import ClientDisconnected

from chat.consumers import ReceiveConsumer
from chat.tests.pages import DEADLINE_SECONDS


@pytest.mark.parametrize("error", [Disconnected(), ClientDisconnected()], ids=["daphne", "uvicorn"])
async def test_a_peer_who_left_while_it_was_written_to_is_no_bug(error: Exception) -> None:
    async def send(message: object) -> None:
        raise error

    socket = ReceiveConsumer()
    socket.tell(b"something")
    with structlog.testing.capture_logs() as lines, pytest.raises(type(error)):
        await socket._write(send)
    assert not lines
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert not await socket.flushed(), "an erasure that waits for its receipt waits no more"
