"""`python -m soak.abuse [NAME …]`: much, from few, on the really started server; and how others fare.

Each scenario starts a server of its own, lets ten honest people post and measures the time until `stored`,
before, during and after; and the server's memory. The table says what was promised and whether it held; the
exit code is 1 where something did not.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import psutil

HONEST = 10
PACE_SECONDS = 0.25
MEASURED_SECONDS = 8.0
#: A p99 below this is not told from noise.
FLOOR_SECONDS = 0.010
#: All come from one address here.
ROOMY = {
    "QUARTER_LIMIT_SOCKETS_PER_ADDRESS": "100000",
    "QUARTER_LIMIT_IDENTITIES_PER_MINUTE": "100000",
    "QUARTER_LIMIT_LOGINS_PER_MINUTE": "100000",
}
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Row:
    """One line of the table. `most` is what `during` may be."""

    what: str
    before: float
    during: float
    most: float
    unit: str

    @property
    def is_held(self) -> bool:
        return self.during <= self.most

    def __str__(self) -> str:
        ratio = f"{self.during / self.before:8.2f}" if self.before else "       –"
        held = "held" if self.is_held else "BROKEN"
        return f"{self.what:58} {self.before:10.1f} {self.during:10.1f} {self.unit:8} {ratio}  {held}"


@dataclass
class Ground:
    """A running server and the people on it."""

    url: str
    process: psutil.Process
    rows: list[Row] = field(default_factory=list)
    next_n: dict[str, int] = field(default_factory=dict)

    def note(self, what: str, before: float, during: float, most: float, unit: str) -> None:
        self.rows.append(Row(what, before, during, most, unit))

    def memory(self) -> float:
        """MiB."""
        return float(self.process.memory_info().rss) / MEBIBYTE


# --- people -----------------------------------------------------------------------------------------------


def meet(number: int) -> "list[Any]":
    """So many logged-in people, in one transaction."""
    from django.db import connection, transaction

    from chat.tests import people

    with transaction.atomic():
        met = [people.meet(f"person {each}") for each in range(number)]
    connection.close()
    return met


async def others(ground: Ground, talks: "Sequence[tuple[Any, str]]", seconds: float) -> float:
    """The p99, in seconds, of honest posts for so long."""
    waits: list[float] = []
    await asyncio.gather(*(_talk(ground, person, session, seconds, waits) for person, session in talks))
    return sorted(waits)[int(len(waits) * 0.99)]


async def _talk(ground: Ground, person: Any, session: str, seconds: float, waits: list[float]) -> None:
    from chat import wire
    from chat.tests import pages, people

    until = time.monotonic() + seconds
    async with pages.sender(person, ground.url) as out:
        while time.monotonic() < until:
            n = ground.next_n[session] = ground.next_n.get(session, -1) + 1
            message = people.make_message(session, 0, n)
            asked_at = time.monotonic()
            await out.ask(wire.Post(session, n, message), wire.Stored)
            waits.append(time.monotonic() - asked_at)
            await asyncio.sleep(PACE_SECONDS)


def talks() -> "list[tuple[Any, str]]":
    from django.db import connection

    from chat.tests import people

    met = meet(2 * HONEST)
    found = [
        (each, people.open_session(each, peer)) for each, peer in zip(met[:HONEST], met[HONEST:], strict=True)
    ]
    connection.close()
    return found


@contextlib.asynccontextmanager
async def measured(ground: Ground, what: str) -> AsyncIterator[None]:
    """The p99 of others while the block runs, beside that before and after it."""
    honest = await asyncio.to_thread(talks)
    before = await others(ground, honest, MEASURED_SECONDS)
    during = asyncio.create_task(others(ground, honest, MEASURED_SECONDS))
    yield
    worst = await during
    after = await others(ground, honest, MEASURED_SECONDS)
    calm = max(before, after)
    ground.note(f"{what}: others' p99", 1000 * calm, 1000 * worst, 2000 * max(calm, FLOOR_SECONDS), "ms")


# --- sockets without manners ------------------------------------------------------------------------------


def framed(payload: bytes) -> bytes:
    """A binary frame as a client sends it; its mask is zero."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x82" + length + bytes(4) + payload


async def rude(url: str, name: str, hello: bytes = b"") -> tuple[asyncio.StreamReader, Any]:
    """A websocket of bare bytes."""
    from chat.tests.servers import ORIGIN

    host, _, port = url.removeprefix("ws://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=4096)
    head = f"GET /ws/{name}/ HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {ORIGIN}\r\nUpgrade: websocket\r\n"
    head += "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    writer.write(head.encode() + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    if hello:
        writer.write(framed(hello))
    return reader, writer


# --- scenarios --------------------------------------------------------------------------------------------

#: More than the 10,000 that are to be reached: a short sleep takes longer than it says.
FLOODERS, FLOOD_PER_SECOND, SLICES_PER_SECOND = 5, 13_000, 100
PART = FLOOD_PER_SECOND // FLOODERS // SLICES_PER_SECOND


async def flood(ground: Ground) -> None:
    """10,000 frames a second from five sockets: what is paced, what is refused, what is a repeat."""
    from chat import wire
    from chat.tests import people

    rude_ones = await asyncio.to_thread(meet, FLOODERS)
    nowhere = people.session_of(b"nothing")
    frames: list[tuple[str, wire.Frame]] = [
        ("receive", wire.Taken(nowhere, 1)),
        ("receive", wire.Resync({})),
        ("send", wire.Lookup(1, rude_ones[0].hash)),
        ("send", wire.Post(nowhere, 0, people.make_message(nowhere, 0, 0))),
        ("send", wire.Prepare(1, nowhere)),
    ]
    plans = []
    for person, (name, frame) in zip(rude_ones, frames, strict=True):
        hello = wire.SendHello(person.token) if name == "send" else wire.ReceiveHello(person.token, {})
        plans.append(Plan(ground.url, name, wire.encode(hello), framed(wire.encode(frame)) * PART))
    with _elsewhere() as elsewhere:
        loop = asyncio.get_running_loop()
        async with measured(ground, "10,000 frames a second from five sockets"):
            sent = await loop.run_in_executor(elsewhere, flood_for, plans, MEASURED_SECONDS)
    rate = sum(sent) / MEASURED_SECONDS
    sys.stdout.write(f"  frames that the server let them send: {rate:.0f} a second, by kind {sent}\n")


@dataclass(frozen=True)
class Plan:
    """What one of them does: says hello on a socket, then `data` (PART frames) a hundred times a second."""

    url: str
    name: str
    hello: bytes
    data: bytes


def flood_for(plans: Sequence[Plan], seconds: float) -> list[int]:
    """How many frames each could send in so long."""
    sent = [0] * len(plans)

    async def all_of_them() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(_flood(plan, sent, index) for index, plan in enumerate(plans)))

    asyncio.run(all_of_them())
    return sent


def _elsewhere() -> ProcessPoolExecutor:
    """A process apart, polite to those who measure: what they feel is the server's doing, not its own."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), os.nice, (10,))


async def _flood(plan: Plan, sent: list[int], index: int) -> None:
    while True:
        with contextlib.suppress(OSError, EOFError):
            reader, writer = await rude(plan.url, plan.name, plan.hello)
            reading = asyncio.create_task(_read_all(reader))
            try:
                while not reading.done():
                    writer.write(plan.data)
                    await writer.drain()
                    sent[index] += PART
                    await asyncio.sleep(1 / SLICES_PER_SECOND)
            finally:
                reading.cancel()
                writer.close()


async def _read_all(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(OSError):
        while await reader.read(65536):
            pass


SILENT, ENDLESS = 1000, 100
OPENING_SECONDS, SILENT_SECONDS = 5.0, 30.0


async def silent(ground: Ground) -> None:
    """1,000 connections and 1,000 sockets that say nothing, and 100 heads without end."""
    memory = ground.memory()
    with _elsewhere() as elsewhere:
        loop = asyncio.get_running_loop()
        async with measured(ground, "2,000 silent connections, 100 heads without end"):
            silence = loop.run_in_executor(elsewhere, keep_silent, ground.url)
            await asyncio.sleep(OPENING_SECONDS)
            most = ground.memory()
        left = await silence
    ground.note("2,000 silent connections: memory", memory, most, memory + 64, "MiB")
    ground.note(f"of them open {SILENT_SECONDS:.0f} s later", 2 * SILENT + ENDLESS, left, 0, "")


def keep_silent(url: str) -> int:
    """Opens them within OPENING_SECONDS; how many the server has not closed SILENT_SECONDS later."""
    return asyncio.run(_keep_silent(url))


async def _keep_silent(url: str) -> int:
    host, _, port = url.removeprefix("ws://").rpartition(":")
    open_ones: list[tuple[asyncio.StreamReader, Any]] = []
    for number in range(SILENT):
        open_ones.append(await asyncio.open_connection(host, int(port)))
        open_ones.append(await rude(url, "send"))
        if number % (SILENT // ENDLESS) == 0:
            open_ones.append(await asyncio.open_connection(host, int(port)))
        await asyncio.sleep(OPENING_SECONDS / SILENT / 2)
    endless = open_ones[2 :: 2 * SILENT // ENDLESS + 1]
    trickle = [asyncio.create_task(_trickle(writer)) for _, writer in endless]
    still = [asyncio.create_task(_read_all(reader)) for reader, _ in open_ones]
    _, left = await asyncio.wait(still, timeout=SILENT_SECONDS)
    for task in [*left, *trickle]:
        task.cancel()
    await asyncio.gather(*left, *trickle, return_exceptions=True)
    return len(left)


async def _trickle(writer: Any) -> None:
    writer.write(b"GET / HTTP/1.1\r\nX-Endless: ")
    with contextlib.suppress(OSError):
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(1)


STALLED, ITEM_BYTES, ITEMS = 200, 32_000, 328


async def stalled(ground: Ground) -> None:
    """200 readers with 10 MiB waiting each, who read nothing."""
    from chat import wire

    readers = await asyncio.to_thread(_fill)
    memory = ground.memory()
    async with measured(ground, "200 stalled readers"):
        held = [
            await rude(ground.url, "receive", wire.encode(wire.ReceiveHello(person.token, {})))
            for person in readers
        ]
        most = memory
        for _ in range(int(MEASURED_SECONDS / 0.5)):
            await asyncio.sleep(0.5)
            most = max(most, ground.memory())
    ground.note("200 stalled readers of 10 MiB each: memory", memory, most, memory + 64, "MiB")
    for _, writer in held:
        writer.close()


def _fill() -> "list[Any]":
    from django.db import connection
    from django.utils import timezone

    from chat.tests import people

    met, owners = meet(STALLED), meet(STALLED)
    for each, owner in zip(met, owners, strict=True):
        session = people.open_session(owner, each)
        rows = (
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %s) "
            "INSERT INTO chat_item (session_id, seq, sender, kind, n, body, created_at) "
            "SELECT %s, 2 + i, 0, 'message', i - 1, zeroblob(%s), %s FROM c"
        )
        with connection.cursor() as cursor:
            cursor.execute(rows, [ITEMS, session, ITEM_BYTES, timezone.now()])
            cursor.execute("UPDATE chat_session SET last_seq = %s WHERE id = %s", [2 + ITEMS, session])
    connection.close()
    return met


CYCLES, CYCLERS = 20_000, 8


async def cycles(ground: Ground) -> None:
    """20,000 times: connect, say something, close."""
    from chat import wire

    people = await asyncio.to_thread(meet, CYCLERS)
    hello = {person.token: wire.encode(wire.SendHello(person.token)) for person in people}

    async def turn(times: int) -> None:
        async def one(token: str) -> None:
            for _ in range(times // CYCLERS):
                reader, writer = await rude(ground.url, "send", hello[token])
                await reader.read(64)
                writer.close()
                await asyncio.sleep(0)

        await asyncio.gather(*(one(token) for token in hello))

    await turn(CYCLES // 10)
    await asyncio.sleep(3)
    memory, files = ground.memory(), ground.process.num_fds()
    await turn(CYCLES - CYCLES // 10)
    await asyncio.sleep(5)
    ground.note("20,000 connect, send, close: memory", memory, ground.memory(), memory + 8, "MiB")
    ground.note("20,000 connect, send, close: open files", files, ground.process.num_fds(), files + 8, "")


OFFERS = 1000


async def offers(ground: Ground) -> None:
    """1,000 offers to one hash; its owner answers one and talks."""
    from chat import wire
    from chat.tests import pages, people

    rude_ones = await asyncio.to_thread(meet, 20)
    owner = (await asyncio.to_thread(meet, 1))[0]
    codes: dict[str, int] = {}

    async def ask(person: Any) -> None:
        async with pages.sender(person, ground.url) as out:
            for _ in range(OFFERS // len(rude_ones)):
                await out.send(wire.Offer(1, people.make_offer(person, owner)))
                answer = await out.read()
                code = getattr(answer, "code", "ok")
                assert code == "ok" or answer.retry_after, answer
                codes[code] = codes.get(code, 0) + 1

    async with measured(ground, "1,000 offers to one hash"):
        await asyncio.gather(*(ask(person) for person in rude_ones))
    ground.note("1,000 offers to one hash: those that wait", 0, codes.get("ok", 0), 10, "")
    async with (
        pages.receiver(owner, ground.url) as into,
        pages.sender(owner, ground.url) as out,
    ):
        ready = await into.expect(wire.ReceiveReady)
        chosen, *unwanted = [session.id for session in ready.sessions]
        began = time.monotonic()
        await out.ask(wire.Answer(1, chosen, people.make_answer(chosen)), wire.Ok)
        await out.ask(wire.Post(chosen, 0, people.make_message(chosen, 1, 0)), wire.Stored)
        for session in unwanted:
            await out.ask(wire.Decline(2, session, "declined"), wire.Ok)
        used = 1000 * (time.monotonic() - began)
        ground.note("… its owner answers one, talks, declines the rest", 0, used, 2000, "ms")
        guest = (await asyncio.to_thread(meet, 1))[0]
        async with pages.sender(guest, ground.url) as asking:
            await asking.ask(wire.Offer(1, people.make_offer(guest, owner)), wire.Ok)


#: The file is locked while so many come, and SQLite gives nobody a turn between two that follow closely.
IDENTITIES, AT_ONCE, PAUSE_SECONDS = 10_000, 20, 0.02


async def identities(ground: Ground) -> None:
    """10,000 identities, while others talk; then a connect, and a sweep."""
    from chat import expiry

    first = (await asyncio.to_thread(meet, 1))[0]
    before, memory = await _enter(ground, first), ground.memory()
    await asyncio.to_thread(expiry.sweep)
    async with measured(ground, "10,000 identities"):
        for _ in range(IDENTITIES // AT_ONCE):
            await asyncio.to_thread(meet, AT_ONCE)
            await asyncio.sleep(PAUSE_SECONDS)
    after = await _enter(ground, first)
    most = 2000 * max(before, FLOOR_SECONDS)
    ground.note("10,000 identities: hello until ready", 1000 * before, 1000 * after, most, "ms")
    began = time.monotonic()
    await asyncio.to_thread(expiry.sweep)
    ground.note("10,000 identities: a sweep", 0, 1000 * (time.monotonic() - began), 1000, "ms")
    ground.note("10,000 identities: memory", memory, ground.memory(), memory + 16, "MiB")


async def _enter(ground: Ground, person: Any) -> float:
    """The median of 50, in seconds."""
    from chat.tests import pages

    waits = []
    for _ in range(50):
        began = time.monotonic()
        async with pages.sender(person, ground.url):
            waits.append(time.monotonic() - began)
    return sorted(waits)[25]


SCENARIOS: dict[str, Callable[[Ground], Coroutine[Any, Any, None]]] = {
    each.__name__: each for each in (flood, silent, stalled, cycles, offers, identities)
}


# --- running ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def database(directory: Path) -> Iterator[None]:
    """An SQLite file of our own, and Django on it."""
    os.environ |= {
        "DATABASE_URL": f"sqlite:///{directory / 'quarter.sqlite3'}",
        "QUARTER_DATA_DIR": str(directory),
        "DJANGO_SETTINGS_MODULE": "messenger.settings",
    }
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    connection.close()
    yield


def play(name: str, kind: Any) -> list[Row]:
    """One scenario on a server of its own."""
    from chat.tests import servers
    from messenger.tests import services

    with (
        tempfile.TemporaryDirectory(prefix="quarter-") as place,
        services.valkey() as redis_url,
        servers.start(kind, redis_url, Path(place), **ROOMY) as server,
    ):
        ground = Ground(server.url, psutil.Process(server.process.pid))
        asyncio.run(_enter(ground, meet(1)[0]))  # it is there, and warm
        asyncio.run(SCENARIOS[name](ground))
        return ground.rows


def main() -> int:
    from messenger.stack import parts

    parser = argparse.ArgumentParser(prog="python -m soak.abuse", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    parser.add_argument("--kind", choices=get_args(parts.ServerName), default="daphne")
    given = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="quarter-") as directory, database(Path(directory)):
        for name in given.names or SCENARIOS:
            for row in play(name, given.kind):
                rows.append(row)
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
    return 0 if all(row.is_held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
