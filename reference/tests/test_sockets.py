"""Opening the two websockets."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve

from reference import sockets, trouble, wire
from reference.tests.conftest import MakeClient

LIMITS = wire.Limits(**dict.fromkeys(wire.Limits.__struct_fields__, 1))


async def test_neither_hello_waits_for_the_answer_to_the_other() -> None:
    both = asyncio.Barrier(2)

    async def answer(socket: ServerConnection) -> None:
        await socket.recv()
        await both.wait()
        assert socket.request
        ready = wire.SendReady(LIMITS) if "send" in socket.request.path else wire.ReceiveReady([])
        await socket.send(wire.encode(ready))
        await socket.wait_closed()

    async with serve(answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        connection = await sockets.connect(f"http://127.0.0.1:{port}", "token", {})
        await connection.close()


async def test_a_server_that_closes_the_first_connection_is_a_trouble_with_a_sentence(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed(*_: object) -> sockets.Connection:
        raise sockets.Lost(sockets.NOT_LOGGED_IN)

    monkeypatch.setattr(sockets, "connect", closed)
    with pytest.raises(trouble.Unreachable, match="4401"):
        await make_client()
