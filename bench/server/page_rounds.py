"""What the generator's process is asked for of pages: to wait, to come back, to read all again."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.server import cpu
from bench.server.drive import Round, at_once
from bench.server.link import Broken
from bench.server.quarter import Page, Talk
from bench.server.rounds import Pages, on_uvloop

FIRST_COMERS = 50
SETTLE_SECONDS = 2.0
#: As the page's (frontend/src/transport).
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, SILENCE_SECONDS = 0.5, 4.0, 10.0
BACK_SECONDS = 120.0


@dataclass(frozen=True)
class Idle:
    """KiB of a server: before anybody came; how much all receive and then all send sockets added."""

    before: float
    receiving: float
    sending: float


def idle(load: Pages, pid: int, senders: int) -> Idle:
    """All open their receive socket; then `senders` of them their send socket. Nobody says anything."""

    async def run() -> Idle:
        # Some come and go before: what the first ones cost is not theirs.
        await _come_and_go(_people(load)[:FIRST_COMERS])
        people = _people(load)
        try:
            before = await _resident(pid)
            await at_once([page.listen for page in people])
            receiving = await _resident(pid)
            await at_once([page.speak for page in people[:senders]])
            return Idle(before, receiving - before, await _resident(pid) - receiving)
        finally:
            for page in people:
                page.leave()

    return on_uvloop(run())


def _people(load: Pages) -> list[Page]:
    return [page for pair in load.pairs() for page in pair]


async def _come_and_go(people: Sequence[Page]) -> None:
    await at_once([page.enter for page in people])
    for page in people:
        page.leave()


async def _resident(pid: int) -> float:
    await asyncio.sleep(SETTLE_SECONDS)
    return cpu.resident_bytes(pid) / 1024


@dataclass(frozen=True)
class Return:
    """When the server was told to end, when each page was back (or inf), how often they tried."""

    ended_at: float
    back_at: list[float]
    tries: int


def reconnect(load: Pages, pid: int) -> Return:
    """All are there; the server is sent SIGTERM; all come back."""

    async def run() -> Return:
        guests = [Regular(talk, side) for talk in load.talks for side in (0, 1)]
        await at_once([guest.enter for guest in guests])
        staying = [asyncio.create_task(guest.stay()) for guest in guests]
        try:
            ended_at = time.monotonic()
            os.kill(pid, signal.SIGTERM)
            back_at = await _all_back(guests, ended_at)
            return Return(ended_at, back_at, sum(guest.tries for guest in guests))
        finally:
            for task in staying:
                task.cancel()
            await asyncio.gather(*staying, return_exceptions=True)

    return on_uvloop(run())


async def _all_back(guests: "Sequence[Regular]", since: float) -> list[float]:
    """When each came back, inf for who did not in BACK_SECONDS.

    It waits until all have been there for a while: a server that ends may let some in again.
    """
    while True:
        await asyncio.sleep(SETTLE_SECONDS)
        now = time.monotonic()
        back_at = [guest.there_at if guest.there_at > since else float("inf") for guest in guests]
        if max(back_at) < now - SETTLE_SECONDS / 2 or now > since + BACK_SECONDS:
            return back_at


class Regular:
    """A page that has nothing to say, and comes back whenever it loses its socket."""

    def __init__(self, talk: Talk, side: int) -> None:
        self._talk, self._side = talk, side
        #: Since when it has been there (0: it is not); how often it tried to come back.
        self.there_at = 0.0
        self.tries = 0

    async def enter(self, index: int) -> None:
        """Connect, as the index-th page of this process."""
        self._index, self._gone = index, asyncio.Event()
        self._page = Page(self._talk, self._side)
        self._page.receiving.lost = self._lose
        async with asyncio.timeout(SILENCE_SECONDS):
            await self._page.listen(index)
        self.there_at = time.monotonic()

    async def stay(self) -> None:
        """For ever. It has entered; after each loss it pauses and tries again, as the page does."""
        try:
            while True:
                await self._gone.wait()
                await self._come_back()
        finally:
            self._page.leave()

    def _lose(self, why: Exception) -> None:
        self.there_at = 0.0
        self._gone.set()

    async def _come_back(self) -> None:
        self.there_at, longest = 0.0, FIRST_PAUSE_SECONDS
        while not self.there_at:
            self._page.leave()
            await asyncio.sleep(longest * random.uniform(0.5, 1.0))
            longest = min(LONGEST_PAUSE_SECONDS, 2 * longest)
            self.tries += 1
            with contextlib.suppress(OSError, Broken, TimeoutError):
                await self.enter(self._index)


def restore(load: Pages, families: cpu.Families, items: int) -> Round:
    """The peer of the first talk reads all of it: `items` messages, the offer and the answer."""
    return on_uvloop(_restore(load.talks[0], load.taken_each, families, items))


def restore_on(load: Pages, items: int, seconds: float) -> tuple[float, float, int]:
    """The same again and again: when it began and ended (monotonic), and how often."""

    async def run() -> tuple[float, float, int]:
        began, times = time.monotonic(), 0
        while time.monotonic() < began + seconds:
            await _restore(load.talks[0], load.taken_each, {}, items)
            times += 1
        return began, time.monotonic(), times

    return on_uvloop(run())


async def _restore(talk: Talk, taken_each: bool, families: cpu.Families, items: int) -> Round:
    page = Page(talk, 1, taken_each, cursor=0)
    came: list[int] = []
    page.heard = came.append
    meter, began = cpu.Meter(families), time.monotonic()
    try:
        async with asyncio.timeout(BACK_SECONDS):
            await page.listen(0)
        seconds = time.monotonic() - began
    finally:
        page.leave()
    if sum(came) != items + 2:
        raise Broken(f"{sum(came)} items came of {items + 2}")
    return Round(items, seconds, meter.used(), [])
