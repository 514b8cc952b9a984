"""What the generator's process is asked for: plain functions of plain values, each a round on a new loop."""

import abc
import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop

from bench.server import cpu, drive
from bench.server.drive import Pairs, Round
from bench.server.quarter import Page, Talk

T = TypeVar("T")


class Load(abc.ABC):
    """Who talks. It is sent to the generator, which makes the people of it."""

    @abc.abstractmethod
    def pairs(self) -> Pairs:
        """New people, not yet connected. Needs a running loop."""


@dataclass(frozen=True)
class Pages(Load):
    """Quarter's pages, two for each talk."""

    talks: Sequence[Talk]
    taken_each: bool = False

    def pairs(self) -> list[tuple[Page, Page]]:
        return [(Page(talk, 0, self.taken_each), Page(talk, 1, self.taken_each)) for talk in self.talks]


def busy(
    load: Load, families: cpu.Families, in_flight: int, both: bool, seconds: float, warm: float
) -> Round:
    """As drive.busy."""

    async def run() -> Round:
        return await drive.busy(load.pairs(), families, in_flight, both, seconds, warm)

    return on_uvloop(run())


def paced(load: Load, families: cpu.Families, rate: float, seconds: float, warm: float) -> Round:
    """As drive.paced."""

    async def run() -> Round:
        return await drive.paced(load.pairs(), families, rate, seconds, warm)

    return on_uvloop(run())


def on_uvloop(work: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
