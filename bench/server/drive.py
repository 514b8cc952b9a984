"""How load is given: each function is one round in the generator's process, from connecting to hanging up."""

import asyncio
import contextlib
import gc
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.server import cpu
from bench.server.figures import quantile
from bench.server.link import Broken
from bench.server.person import Person

ENTER_AT_ONCE = 64
ENTER_SECONDS, STUCK_SECONDS = 120.0, 30.0
TICK_SECONDS = 0.002

Pairs = Sequence[tuple[Person, Person]]


@dataclass(frozen=True)
class Round:
    """What one round measured: messages delivered, CPU seconds of each family, and how long each took.

    `waits` are (when it was said on the monotonic clock, seconds until the peer heard it).
    """

    delivered: int
    seconds: float
    cpu: dict[str, float]
    waits: list[tuple[float, float]]

    @property
    def rate(self) -> float:
        """Messages delivered in a second."""
        return self.delivered / self.seconds

    def cost(self, family: str) -> float:
        """CPU-ms for 1,000 delivered messages."""
        return 1e6 * self.cpu[family] / self.delivered

    def wait(self, part: float, begin: float = 0.0, end: float = float("inf")) -> float:
        """The quantile in ms of those that were said between two moments."""
        return 1000 * quantile([wait for said_at, wait in self.waits if begin <= said_at <= end], part)


class Clock:
    """Times each message from saying to hearing, and counts between `start` and `stop`."""

    def __init__(self, families: cpu.Families) -> None:
        self._families = families
        self._said_at: dict[Person, deque[float]] = {}
        self._waits: list[tuple[float, float]] = []
        self._is_running = False
        self.in_flight = 0
        self.is_over = False
        loop = asyncio.get_running_loop()
        self._fault: asyncio.Future[None] = loop.create_future()
        loop.set_exception_handler(self._note_fault)

    def say(self, person: Person, count: int = 1) -> None:
        """Let `person` say so many."""
        self.in_flight += count
        self._said_at.setdefault(person, deque()).extend([time.monotonic()] * count)
        person.say(count)

    def hear(self, person: Person, count: int) -> None:
        """`person` has heard so many of the peer's."""
        self.in_flight -= count
        now, said_at = time.monotonic(), self._said_at[person.peer]
        for _ in range(count):
            at = said_at.popleft()
            if self._is_running:
                self._waits.append((at, now - at))

    def start(self) -> None:
        """From now on it counts."""
        self._is_running, self._began_at = True, time.monotonic()
        self._meter = cpu.Meter(self._families)

    def stop(self) -> Round:
        """The figures. Nobody should say anything more."""
        seconds, used = time.monotonic() - self._began_at, self._meter.used()
        self._is_running, self.is_over = False, True
        if not self._waits:
            raise Broken("nothing was delivered")
        return Round(len(self._waits), seconds, used, self._waits)

    async def rest(self, seconds: float) -> None:
        """Let the load run for so long; raises what went wrong on any socket."""
        await asyncio.wait([self._fault], timeout=seconds)
        if self._fault.done():
            self._fault.result()

    async def all_heard(self, people: Sequence[Person]) -> None:
        """Wait until every message has come and was acknowledged; Broken where nothing moves any more."""
        left, give_up_at = -1, 0.0
        while waiting := self.in_flight + sum(person.said - person.acknowledged for person in people):
            if waiting != left:
                left, give_up_at = waiting, time.monotonic() + STUCK_SECONDS
            elif time.monotonic() > give_up_at:
                raise Broken(f"{self.in_flight} messages never came")
            await self.rest(0.02)

    def _note_fault(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not self._fault.done():
            self._fault.set_exception(context.get("exception") or Broken(context["message"]))


async def busy(
    pairs: Pairs, families: cpu.Families, in_flight: int, both: bool, seconds: float, warm: float
) -> Round:
    """One side of each pair, or both, has `in_flight` messages under way all the time."""
    clock = Clock(families)

    def heard(person: Person, count: int) -> None:
        clock.hear(person, count)
        if not clock.is_over:
            clock.say(person.peer, count)

    async with entered(pairs, heard) as people:
        for person in people if both else people[::2]:
            clock.say(person, in_flight)
        return await _counted(clock, people, seconds, warm)


async def paced(pairs: Pairs, families: cpu.Families, rate: float, seconds: float, warm: float) -> Round:
    """`rate` messages a second are said by all together, whatever has been heard of them."""
    clock = Clock(families)

    async def speak() -> None:
        began, said = time.monotonic(), 0
        while not clock.is_over:
            for _ in range(int((time.monotonic() - began) * rate) - said):
                clock.say(people[said % len(people)])
                said += 1
            await asyncio.sleep(max(TICK_SECONDS, 1 / rate))

    async with entered(pairs, clock.hear) as people, asyncio.TaskGroup() as group:
        group.create_task(speak())
        return await _counted(clock, people, seconds, warm)
    raise AssertionError


async def _counted(clock: Clock, people: Sequence[Person], seconds: float, warm: float) -> Round:
    await clock.rest(warm)
    clock.start()
    await clock.rest(seconds)
    found = clock.stop()
    await clock.all_heard(people)
    return found


@contextlib.asynccontextmanager
async def entered(pairs: Pairs, heard: Callable[[Person, int], None]) -> AsyncIterator[list[Person]]:
    """All are connected while the block runs (one, other, one, other); no garbage is collected."""
    people = [person for pair in pairs for person in pair]
    for one, other in pairs:
        one.peer, other.peer = other, one
    for person in people:
        person.heard = partial(heard, person)
    try:
        async with asyncio.timeout(ENTER_SECONDS):
            await at_once([person.enter for person in people])
        gc.collect()
        gc.freeze()
        gc.disable()
        yield people
    finally:
        gc.enable()
        gc.unfreeze()
        for person in people:
            person.leave()


async def at_once(enter: Sequence[Callable[[int], Any]]) -> None:
    """Calls each with its index, ENTER_AT_ONCE of them at a time."""
    for at in range(0, len(enter), ENTER_AT_ONCE):
        part = enter[at : at + ENTER_AT_ONCE]
        await asyncio.gather(*(one(at + index) for index, one in enumerate(part)))
