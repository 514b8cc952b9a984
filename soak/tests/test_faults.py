"""The networks that misbehave do what they say, and a fault that can't be had is said, not left out."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from soak import scenarios
from soak.faults import FAULTS
from soak.hosts import Missing, require
from soak.proxy import HintProxy, Proxy
from soak.run import Options

SECONDS = 60
SECRET = random.Random(1).randbytes(300)

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Pair]]


@asynccontextmanager
async def _echo() -> AsyncIterator[tuple[Proxy, Connect]]:
    """A proxy before a server that says again what it hears, and ends when it hears the end."""

    gone = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1000):
                writer.write(data)
        await _close(writer)
        gone.release()

    async with (
        asyncio.timeout(SECONDS),
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        AsyncExitStack() as clients,
        Proxy(random.Random(1)) as proxy,
    ):
        proxy.aim("127.0.0.1", server.sockets[0].getsockname()[1])

        async def connect() -> Pair:
            reader, writer = await asyncio.open_connection("127.0.0.1", _port(proxy))
            clients.push_async_callback(_close, writer)
            clients.push_async_callback(gone.acquire)
            writer.write(b"?")
            assert await reader.readexactly(1) == b"?"
            return reader, writer

        yield proxy, connect


def _port(proxy: Proxy) -> int:
    return int(proxy.url.rpartition(":")[2])


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@pytest.mark.parametrize("mishap", ["delay", "dribble"])
async def test_a_network_that_is_slow_changes_no_byte(mishap: str) -> None:
    async with _echo() as (proxy, connect):
        reader, writer = await connect()
        getattr(proxy, mishap)()
        writer.write(SECRET)
        assert await reader.readexactly(len(SECRET)) == SECRET


async def test_a_stalled_network_carries_nothing_until_it_is_healed() -> None:
    async with _echo() as (proxy, connect):
        reader, writer = await connect()
        proxy.stall()
        writer.write(SECRET)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read(1)
        proxy.heal()
        assert await reader.readexactly(len(SECRET)) == SECRET


async def test_connections_that_are_cut_end_for_their_client() -> None:
    async with _echo() as (proxy, connect):
        reader, _ = await connect()
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)


async def test_connections_that_are_half_closed_come_to_an_end() -> None:
    async with _echo() as (proxy, connect):
        pairs = [await connect() for _ in range(4)]
        proxy.half_close()
        reads = [asyncio.ensure_future(reader.read(1)) for reader, _ in pairs]
        ended, still = await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED)
        assert all(task.result() == b"" for task in ended)
        proxy.cut()
        await asyncio.gather(*still, return_exceptions=True)


def _message(hint: bytes) -> bytes:
    """What Redis pushes to a subscriber (RESP 2)."""
    return b"*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$%d\r\n%s\r\n" % (len(hint), hint)


HINTS = [_message(b"\xa4hint\r\n%d" % number) for number in range(4)]
OTHERS = [_message(b"beat"), b"+PONG\r\n", b"*2\r\n*1\r\n:1\r\n$-1\r\n"]


async def _heard(path: Path, mishap: str) -> list[bytes]:
    """What comes through when Redis says four hints and other things."""
    redis, between = path / "redis", path / "between"

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"".join([*HINTS, *OTHERS]))
        await writer.drain()
        await _close(writer)

    async with (
        asyncio.timeout(SECONDS),
        await asyncio.start_unix_server(say, redis),
        HintProxy(between, redis, random.Random(1)) as proxy,
    ):
        getattr(proxy, mishap)()
        reader, writer = await asyncio.open_unix_connection(between)
        writer.write(b"?")
        heard = b""
        while not heard.endswith(b"".join(OTHERS)):
            piece = await reader.read(1000)
            assert piece, heard
            heard += piece
        await _close(writer)
    pushed = heard.removesuffix(b"".join(OTHERS))
    return [b"*3" + each for each in pushed.split(b"*3")[1:]]


@pytest.mark.parametrize(
    ("mishap", "expected"), [("heal", HINTS), ("drop", []), ("double", sorted(HINTS * 2))]
)
async def test_hints_are_lost_or_doubled_and_nothing_else_is(
    tmp_path: Path, mishap: str, expected: list[bytes]
) -> None:
    assert await _heard(tmp_path, mishap) == expected


async def test_hints_that_are_shuffled_all_come_in_another_order(tmp_path: Path) -> None:
    heard = await _heard(tmp_path, "shuffle")
    assert heard != HINTS
    assert sorted(heard) == HINTS


def test_what_a_fault_needs_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1000)
    with pytest.raises(Missing, match="run it as root"):
        require()
    monkeypatch.setattr("os.getuid", lambda: 0)
    with pytest.raises(Missing, match=re.escape("apt-get install iproute2")):
        require("no-such-command")


def test_every_scenario_names_faults_that_exist_and_asks_for_what_they_need() -> None:
    by_name = {fault.name: fault for fault in FAULTS}
    for name, scenario in scenarios.SCENARIOS.items():
        command = str(scenario.options)
        for fault in scenario.options.faults:
            needed = by_name[fault].needs.partition(",")[0]
            assert needed in command, f"{name}: {command}"


def test_the_command_that_is_printed_names_every_fault_that_was_asked_for() -> None:
    assert str(Options(7, disk=True, faults=["disk full"])).endswith("--disk --fault 'disk full'")
