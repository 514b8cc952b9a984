"""What a sweep, or somebody who reads all again, does to others: ten pairs, 200 messages a second."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from bench.server import page_rounds, rounds
from bench.server.figures import Table, Target
from bench.server.generator import Generator, generator
from bench.server.options import Options
from bench.server.plant import Plant, plant

PAIRS, RATE = 10, 200.0
CALM_SECONDS = 5.0
EXPIRED, RESTORED = 100_000, 2_000
#: What disturbs them: does it, and gives when it began and ended (monotonic) and a word about it.
Disturbance = Callable[[], tuple[float, float, str]]


@dataclass(frozen=True)
class Disturbed:
    """Others' p99 in ms before and during, and a word about what it was."""

    before: float
    during: float
    word: str


def others(options: Options) -> Iterator[Table]:
    """A sweep of 100,000 expired items, and restores of 2,000 messages one after the other: others' p99."""
    expired = EXPIRED // 10 if options.quick else EXPIRED
    table = Table(
        f"Others' p99 from saying to hearing, in ms: {PAIRS} pairs, {RATE:.0f} messages/s",
        ("", "before", "during", "times", "target", ""),
    )
    for kind, database in options.setups:
        with (
            table.attempt(f"{kind}, {database}"),
            plant(kind, database) as running,
            generator() as ask,
            generator() as aside,
        ):
            load = rounds.Pages(running.people(PAIRS), options.taken_each)
            reader = rounds.Pages(running.people(1), options.taken_each)
            running.write("fill", reader.talks[0].session, str(RESTORED))

            def sweep(running: Plant = running) -> tuple[float, float, str]:
                began, ended = running.write("sweep")
                return began, ended, f"{expired:,} items swept in {ended - began:.1f} s"

            def restore(aside: Generator = aside, reader: rounds.Pages = reader) -> tuple[float, float, str]:
                began, ended, times = aside(page_rounds.restore_on, reader, RESTORED, CALM_SECONDS)
                return began, ended, f"{times} restores in {ended - began:.1f} s"

            for disturb in (sweep, restore):
                found = []
                for _ in range(options.rounds):
                    if disturb is sweep:
                        running.write("stock", str(expired))
                        running.write("expire")
                    found.append(_measured(ask, load, running, disturb))
                before = median(each.before for each in found)
                during = median(each.during for each in found)
                table.add(
                    f"{kind}, {database}: {found[-1].word}",
                    before,
                    during,
                    during / before,
                    target=Target(most=1.2),
                    value=during / before,
                )
    yield table


def _measured(ask: Generator, load: rounds.Pages, running: Plant, disturb: Disturbance) -> Disturbed:
    talking = ask.soon(rounds.paced, load, running.families, RATE, 3 * CALM_SECONDS, CALM_SECONDS / 5)
    time.sleep(CALM_SECONDS * 1.4)
    began, ended, word = disturb()
    found = talking.result()
    return Disturbed(found.wait(0.99, end=began), found.wait(0.99, began, ended), word)
