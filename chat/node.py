"""One server process: its writer, its readers, its delivery, its clock.

Made as soon as the server runs, so that it sweeps before anybody has come; elsewhere with the first socket.

All of it belongs to one event loop. Database work runs in threads of our own, each with a connection of its
own, so that no user's slow read holds up the commits of others:

    writer   1 thread    group commits and short transactions, in order
    readers  3 threads   drains, views, lookups
    aside    2 threads   what may take long: sweeps and VACUUM, beside which an erasure must not wait
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import structlog
from django.conf import settings

from chat import announce, disk, expiry, limits, shutdown
from chat.connections import close_all, with_connection
from chat.delivery import Delivery
from chat.reader import Reader
from chat.writer import Writer

log = structlog.get_logger("quarter.chat")

READERS = 3
ASIDES = 2
RESTART_SECONDS = 0.2
SHUTDOWN_SECONDS = 2.0
TIDY_SECONDS = 0.25
T = TypeVar("T")


class Closable(Protocol):
    """A socket, as shutting down sees it."""

    def close(self, code: int) -> None:
        """Write what waits, then close with this code."""


class Node:
    """See above. `current()` gives the one of the running loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.seats = limits.Seats()
        self.frames = limits.Buckets(limits.FRAMES_BURST, limits.FRAMES_PER_SECOND)
        self.paced = limits.Buckets(limits.PACED_BURST, limits.PACED_PER_SECOND)
        self.again = limits.Buckets(limits.AGAIN_BURST, limits.AGAIN_PER_SECOND)
        self.posts = limits.Buckets(settings.LIMITS.posts_burst, settings.LIMITS.posts_per_second)
        self.volatiles = limits.Buckets(
            settings.LIMITS.volatile_per_second, settings.LIMITS.volatile_per_second
        )
        self._writing = ThreadPoolExecutor(1, "quarter-writer")
        self._reading = ThreadPoolExecutor(READERS, "quarter-reader")
        self._asiding = ThreadPoolExecutor(ASIDES, "quarter-aside")
        self.delivery = Delivery()
        self.writer = Writer(self._writing, self.delivery.deliver)
        self.reader = Reader(self.read)
        self.sockets: set[Closable] = set()
        self._freeing = asyncio.Lock()
        self._freed_at = float("-inf")
        self._empty = asyncio.Event()
        self._tasks = [
            self.loop.create_task(_supervise(part), name=part.__qualname__)
            for part in (
                self.writer.serve,
                self.reader.serve,
                self.delivery.hints.speak,
                self.delivery.hints.listen,
                self._clock,
                self._tidy,
            )
        ]
        announce.use(self._announce_from_thread)

    async def read(self, function: Callable[..., T], *args: Any) -> T:
        """Run a read in the readers' threads."""
        return await self.loop.run_in_executor(self._reading, with_connection, function, *args)

    async def aside(self, function: Callable[..., T], *args: Any) -> T:
        """Run what may take long."""
        return await self.loop.run_in_executor(self._asiding, with_connection, function, *args)

    async def free_bytes(self) -> None:
        """Take deleted bytes off the disk. All who ask while that runs share the next run."""
        asked_at = self.loop.time()
        async with self._freeing:
            if self._freed_at < asked_at:
                self._freed_at = self.loop.time()
                await self.aside(disk.free)

    def enter(self, socket: Closable) -> None:
        self.sockets.add(socket)

    def depart(self, socket: Closable) -> None:
        self.sockets.discard(socket)
        if not self.sockets:
            self._empty.set()

    async def close_sockets(self, code: int = shutdown.RESTART) -> None:
        """Close all sockets and wait, for a moment, until they are gone."""
        self._empty.clear()
        for socket in list(self.sockets):
            socket.close(code)
        if self.sockets:
            try:
                async with asyncio.timeout(SHUTDOWN_SECONDS):
                    await self._empty.wait()
            except TimeoutError:
                log.warning("sockets_left", sockets=len(self.sockets))

    async def stop(self) -> None:
        """End all tasks and threads, and close their connections."""
        announce.use(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for executor, threads in ((self._writing, 1), (self._reading, READERS), (self._asiding, ASIDES)):
            await self.loop.run_in_executor(None, close_all, executor, threads)

    async def _clock(self) -> None:
        """Sweep where nobody else does it (Celery's beat can stop silently)."""
        while True:
            await asyncio.sleep(settings.SWEEP_SECONDS / 3)
            if await self.read(expiry.is_overdue):
                log.warning("sweep_overdue")
                await self.aside(expiry.sweep)

    async def _tidy(self) -> None:
        """Collect the garbage that is young.

        Requests that failed lie in cycles, with the addresses that they came from. How long it takes depends
        on how much is new, not on how many sockets there are; so nobody waits for it if it comes often.
        """
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            gc.collect(1)

    def _announce_from_thread(self, endings: announce.Endings) -> None:
        self.loop.call_soon_threadsafe(self._announce, endings)

    def _announce(self, endings: announce.Endings) -> None:
        for user, session, why in endings:
            self.delivery.end([user], session, why)


async def _supervise(part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run `part` again whenever it fails."""
    while True:
        try:
            await part()
        except Exception:
            log.exception("restarted", part=part.__qualname__)
            await asyncio.sleep(RESTART_SECONDS)


_nodes: dict[asyncio.AbstractEventLoop, Node] = {}


def current() -> Node:
    """The node of the running loop."""
    loop = asyncio.get_running_loop()
    node = _nodes.get(loop)
    if node is None:
        node = _nodes[loop] = Node()
        shutdown.hold_reactor(node.close_sockets)
    return node


async def stop() -> None:
    """Close the sockets of the running loop's node with 1012 and end it."""
    node = _nodes.pop(asyncio.get_running_loop(), None)
    if node is not None:
        await node.close_sockets()
        await node.stop()


def start_with_reactor() -> None:
    """Where Twisted's reactor is to run this process (Daphne), make its node as soon as it does."""
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is not None:
        reactor.callWhenRunning(reactor.callLater, 0, current)
