"""`python -m soak.scenarios NAME …` (or `all`): what deserves a run of its own, and what must come of it.

The exit code is 1 where a promise was broken. What a scenario lacks here (root, a package) is said, and how
to get it.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from reference import wire
from reference.sockets import Reply
from reference.tests.primes import unsafe_identities
from soak.history import History
from soak.hosts import HERE, Missing, two_hosts
from soak.people import Plain
from soak.plant import Extras, NotBack, Plant, until
from soak.run import Options, Verdict, run

RESTART = 1012
PAIRS = 4
HOUR_SECONDS = 3600
END_SECONDS = 40.0
Check = Callable[[Verdict], str]


def _ended_politely(verdict: Verdict) -> str:
    """Every connection that a server ended said so."""
    if verdict.closes[RESTART] and set(verdict.closes) == {RESTART}:
        return ""
    return f"connections were closed with {dict(verdict.closes)}, not all with {RESTART}"


def _anything(verdict: Verdict) -> str:
    return ""


@dataclass(frozen=True)
class Scenario:
    """A run with these options; `check` says what else must be so, "" where it is."""

    options: Options
    check: Check = _anything


_SIGTERM = ("server restarted",)
SCENARIOS = {
    "sigterm-daphne": Scenario(Options(1, rate=80, faults=_SIGTERM), _ended_politely),
    "sigterm-uvicorn": Scenario(Options(1, rate=80, kind="uvicorn", faults=_SIGTERM), _ended_politely),
    "eight-writers": Scenario(Options(1, 32, 40, 100, servers=8, faults=("connections cut",))),
    "disk-full": Scenario(Options(1, disk=True, faults=("disk full",))),
    "disk-read-only": Scenario(Options(1, disk=True, faults=("disk read-only",))),
    "clock": Scenario(Options(1, clock=True, faults=("clock moved",))),
    "postgres": Scenario(
        Options(1, database="postgres", faults=("PostgreSQL backends ended", "PostgreSQL restarted"))
    ),
    "two-hosts": Scenario(Options(1, servers=2, loss=5, faults=("connections cut", "server killed"))),
}


class Ending(Plain):
    """One for whom the end of the conversation is no surprise."""

    is_over = False

    def _hear(self, frame: Reply) -> None:
        if isinstance(frame, wire.Ended):
            self.is_over = True
        else:
            super()._hear(frame)


async def clock_past_the_end() -> list[str]:
    """An hour passes at once: every conversation is over, for both sides and on the disk. What is not so."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        os.chmod(name, 0o711)
        async with Plant(Path(name), random.Random(1), extras=Extras(clock=True)) as plant:
            people = _pairs(plant)
            living = [asyncio.create_task(each.run()) for each in people]
            try:
                return await _age(plant, people)
            except NotBack as error:
                return [str(error)]
            finally:
                for task in living:
                    task.cancel()
                await asyncio.gather(*living, return_exceptions=True)


async def _age(plant: Plant, people: list[Ending]) -> list[str]:
    await until(lambda: all(each.is_open.is_set() for each in people), END_SECONDS, "everybody")
    for each in people:
        each.say()
    await until(lambda: all(each.is_quiet for each in people), END_SECONDS, "quiet")
    before = _rows(plant)
    assert plant.clock
    plant.clock.move(HOUR_SECONDS)
    await until(lambda: all(each.is_over for each in people), END_SECONDS, "the end for both sides")
    await until(lambda: not _rows(plant), END_SECONDS, "an empty database")
    await plant.ready()
    return [] if before else ["nothing had been stored"]


def _pairs(plant: Plant) -> list[Ending]:
    identities = iter(unsafe_identities(2 * PAIRS))
    history = History()
    people: list[Ending] = []
    for number in range(PAIRS):
        pair = [
            Ending(
                f"conversation {number}",
                side,
                plant.urls[0],
                next(identities),
                history,
                random.Random(number),
            )
            for side in (0, 1)
        ]
        pair[0].peer = pair[1].identity
        people += pair
    return people


def _rows(plant: Plant) -> int:
    with closing(sqlite3.connect(plant.database_path)) as file:
        return int(file.execute("SELECT count(*) FROM chat_item").fetchone()[0])


PAST_THE_END = "clock-past-the-end"


def _wrongs(name: str) -> list[str]:
    """Runs it; what is not as it must be."""
    if name == PAST_THE_END:
        return asyncio.run(clock_past_the_end())
    scenario = SCENARIOS[name]
    with ExitStack() as held:
        host = held.enter_context(two_hosts(scenario.options.loss)) if scenario.options.loss else HERE
        verdict = asyncio.run(run(scenario.options, host))
    _say(str(verdict))
    never = [f"{fault} never struck" for fault in scenario.options.faults if not verdict.struck[fault]]
    return [*verdict.wrongs, *never, *filter(None, [scenario.check(verdict)])]


def main() -> int:
    # Two hosts last: from then on this process lives on one of them.
    names = [*(name for name in SCENARIOS if name != "two-hosts"), PAST_THE_END, "two-hosts"]
    parser = argparse.ArgumentParser(prog="python -m soak.scenarios", description=__doc__)
    parser.add_argument("names", nargs="+", choices=[*names, "all"], metavar="NAME", help=", ".join(names))
    given = parser.parse_args().names
    code = 0
    for name in (each for each in names if each in given or "all" in given):
        try:
            wrongs = _wrongs(name)
        except Missing as missing:
            wrongs = [str(missing)]
        _say("\n".join([f"{name}: {'BROKEN' if wrongs else 'held'}", *wrongs]))
        code = code or bool(wrongs)
    return int(code)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
