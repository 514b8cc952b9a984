"""One run: a plant, people who talk, faults, quiet, and the verdict. Everything is drawn from the seed."""

import asyncio
import contextlib
import functools
import itertools
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from reference.client import Client
from reference.identity import Identity
from reference.tests.primes import unsafe_identities
from soak import checker
from soak.checker import Row
from soak.faults import FAULTS, Fault
from soak.history import History, Struck, digest
from soak.hosts import HERE, Host, Missing
from soak.people import Person, Plain, Real
from soak.plant import Database, Extras, NotBack, Plant, until
from soak.stack import APPLICATION

BETWEEN_SECONDS = (5.0, 15.0)
FIRST_FAULT_SECONDS = 2.0
MEET_SECONDS = 120.0
#: At the end so many people say so much at once: more than a bucket of 60 holds.
SHOUTING, SHOUTED = 5, 80
HINT_FAULTS = {fault.name for fault in FAULTS if fault.name.startswith("hints ")}
DISK_MEBIBYTES = 64
#: No clock that moves by an hour ends a conversation.
PATIENT = {"QUARTER_TTL_SECONDS": "7200"}
#: One conversation in so many is between reference clients.
REAL_ONE_IN = 10
#: Their primes make 276 identities.
KEYS = 12


@dataclass(frozen=True)
class Options:
    """What `python -m soak` was asked for; `rate` is messages a second, of all together."""

    seed: int
    conversations: int = 20
    seconds: float = 60.0
    rate: float = 40.0
    database: Database = "sqlite"
    servers: int = 1
    kind: str = "daphne"
    faults: Sequence[str] = ()
    disk: bool = False
    clock: bool = False
    loss: int = 0
    #: How soon it has to flow again (p99); tests on a busy machine give more.
    recovery_seconds: float = checker.RECOVERY_SECONDS
    quiet_seconds: float = 60.0
    #: Lines of the log that something else explains than a fault.
    excuses: Sequence[str] = ()
    #: What Daphne serves: tests have servers that break a promise.
    application: str = APPLICATION

    def __str__(self) -> str:
        """The command that runs this again."""
        words = (
            f"--seeds {self.seed} --conversations {self.conversations} --seconds {self.seconds:g} "
            f"--rate {self.rate:g} --database {self.database} --servers {self.servers} --kind {self.kind}"
        )
        words += " --disk" * self.disk + " --clock" * self.clock + f" --loss {self.loss}" * bool(self.loss)
        return f"python -m soak {words}" + "".join(f" --fault '{name}'" for name in self.faults)


@dataclass
class Verdict:
    """What came of it. It is good where `wrongs` is empty."""

    options: Options
    said: int = 0
    seen: int = 0
    again: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    recovered: dict[str, list[float]] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)
    kept: Path | None = None

    def __str__(self) -> str:
        waits = [seconds for each in self.recovered.values() for seconds in each]
        lines = [
            f"{self.options}",
            f"  {self.said} messages said, {self.seen} seen; {self.again} posted again when stored; "
            f"{self.refusals.total()} refusals for a while ({', '.join(sorted(self.refusals)) or 'none'})",
            f"  {self.struck.total()} faults; flowing again after p50 {checker.quantile(waits, 0.5):.2f} s, "
            f"p99 {checker.quantile(waits, 0.99):.2f} s, at most {max(waits, default=0):.2f} s",
        ]
        for fault, count in sorted(self.struck.items()):
            lines.append(f"    {count:3} × {fault:26} {_most(self.recovered.get(fault, []))}")
        return "\n".join([*lines, *(f"  BROKEN {wrong}" for wrong in self.wrongs)])


async def run(options: Options, host: Host = HERE) -> Verdict:
    """Runs it; keeps the directory with log and history where something was wrong, and says where."""
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    os.chmod(directory, 0o711)  # PostgreSQL is another user
    _identities()
    history = History()
    verdict = Verdict(options)
    try:
        await _run(options, host, directory, history, verdict)
    except NotBack as error:
        verdict.wrongs.append(f"not back: {error}")
    except Missing:
        shutil.rmtree(directory)
        raise
    if verdict.wrongs:
        history.write(directory / "history.jsonl")
        verdict.wrongs.append(f"log and history are in {directory}")
        verdict.kept = directory
    else:
        shutil.rmtree(directory)
    return verdict


@functools.cache
def _identities() -> Sequence[Identity]:
    """Made once, before anybody is connected: it takes seconds in which nobody else has a turn."""
    return tuple(unsafe_identities(KEYS))


async def _run(options: Options, host: Host, directory: Path, history: History, verdict: Verdict) -> None:
    rng = random.Random(options.seed)
    extras = Extras(
        DISK_MEBIBYTES if options.disk else 0,
        options.clock,
        host,
        PATIENT if options.clock else {},
        options.application,
    )
    own = random.Random(rng.random())
    plant = Plant(directory, own, options.database, options.servers, options.kind, extras)
    async with plant, AsyncExitStack() as held:
        fitting = _fitting(plant, options)
        people = await _gather(options, plant, history, rng, held)
        talking = [asyncio.create_task(each.run()) for each in people]
        plain = [each for each in people if isinstance(each, Plain)]
        await until(lambda: all(each.is_open.is_set() for each in plain), MEET_SECONDS, "everybody")
        saying = asyncio.create_task(_talk(people, options, random.Random(rng.random())))
        await _strike(plant, fitting, options, history, random.Random(rng.random()))
        await saying
        await asyncio.sleep(checker.SOON_SECONDS)  # what follows is no fault's doing
        for each in plain[:SHOUTING]:
            for _ in range(SHOUTED):
                each.say()
        with contextlib.suppress(NotBack):  # what is missing then is in the history
            await until(lambda: _is_quiet(people, history), options.quiet_seconds, "quiet")
        for task in talking:
            task.cancel()
        ended = await asyncio.gather(*talking, return_exceptions=True)
        verdict.wrongs += [f"a person fell over: {error!r}" for error in ended if _is_trouble(error)]
        names = {each.session: each.conversation for each in plain}
        sealed = {each.talk.session: each.conversation for each in people if isinstance(each, Real)}
        rows = _rows(plant, names, sealed)
        if any(struck.fault in HINT_FAULTS for struck in history.struck) and not plant.hints.mangled:
            verdict.wrongs.append("hints were to be lost, doubled or shuffled, and none came by")
    _judge(verdict, history, rows, plant.log())


async def _gather(
    options: Options, plant: Plant, history: History, rng: random.Random, held: AsyncExitStack
) -> list[Person]:
    """Two people for each conversation, each at a server of the plant's."""
    people: list[Person] = []
    identities = iter(_identities())
    urls = itertools.cycle(plant.urls)
    for number in range(options.conversations):
        name = f"conversation {number + 1}"
        mine = [random.Random(rng.random()) for _ in range(2)]
        here, there = next(urls), rng.choice(plant.urls)
        if number % REAL_ONE_IN == 0:
            owner = await held.enter_async_context(Client(here))
            guest = await held.enter_async_context(Client(there))
            joined = await guest.join(await owner.link())
            met = await anext(aiter(owner.conversations()))
            people += [
                Real(name, talk, history, each) for talk, each in zip((met, joined), mine, strict=True)
            ]
        else:
            pair = [
                Plain(name, side, url, next(identities), history, mine[side])
                for side, url in enumerate((here, there))
            ]
            pair[0].peer = pair[1].identity
            people += pair
    return people


async def _talk(people: Sequence[Person], options: Options, rng: random.Random) -> None:
    """Somebody says something, `rate` times a second, for so long."""
    loop = asyncio.get_running_loop()
    at = loop.time()
    ends_at = at + options.seconds
    while (at := at + rng.expovariate(options.rate)) < ends_at:
        await asyncio.sleep(at - loop.time())
        rng.choice(people).say()


async def _strike(
    plant: Plant, fitting: Sequence[Fault], options: Options, history: History, rng: random.Random
) -> None:
    """One fault every 5 to 15 s, all kinds before any comes again, while people talk."""
    ends_at = time.monotonic() + options.seconds
    coming: list[Fault] = []
    pause = FIRST_FAULT_SECONDS
    while time.monotonic() + pause < ends_at:
        await asyncio.sleep(pause)
        coming = coming or rng.sample(fitting, len(fitting))
        fault, own = coming.pop(), random.Random(rng.random())
        began = time.monotonic()
        await fault.strike(plant, own)
        history.struck.append(Struck(fault.name, began, time.monotonic()))
        _tell(f"seed {options.seed}: {fault.name}, {time.monotonic() - began:.1f} s, {_so_far(history)}")
        pause = rng.uniform(*BETWEEN_SECONDS)


def _fitting(plant: Plant, options: Options) -> list[Fault]:
    """What was asked for, or all that this plant can suffer; Missing where it lacks what was asked for."""
    asked = [fault for fault in FAULTS if not options.faults or fault.name in options.faults]
    left_out = [f"{fault.name} (needs {fault.needs})" for fault in asked if not fault.fits(plant)]
    if left_out and options.faults:
        raise Missing(f"This run can't have: {', '.join(left_out)}.")
    if left_out:
        _tell(f"seed {options.seed}: left out: {', '.join(left_out)}")
    return [fault for fault in asked if fault.fits(plant)]


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _so_far(history: History) -> str:
    counted = history.counted
    return f"{counted['invoked']} said, {counted['ok']} stored, {counted['seen']} seen"


def _is_quiet(people: Sequence[Person], history: History) -> bool:
    counted = history.counted
    return all(each.is_quiet for each in people) and counted["invoked"] == counted["ok"] == counted["seen"]


def _is_trouble(error: object) -> bool:
    return isinstance(error, Exception)


def _rows(plant: Plant, names: dict[str, str], sealed: dict[str, str]) -> list[Row]:
    query = "SELECT session_id, seq, sender, n, body FROM chat_item"
    if plant.postgres:
        with plant.postgres.connect() as connection:
            found = connection.execute(query).fetchall()
    else:
        with closing(sqlite3.connect(plant.database_path)) as file:
            found = file.execute(query).fetchall()
    return [
        Row(
            names.get(session) or sealed.get(session) or session,
            seq,
            sender,
            n,
            None if session in sealed else digest(bytes(body)),
        )
        for session, seq, sender, n, body in found
    ]


def _judge(verdict: Verdict, history: History, rows: list[Row], log: list[str]) -> None:
    verdict.said = sum(event.what == "invoked" for event in history.events)
    verdict.seen = sum(event.what == "seen" for event in history.events)
    verdict.again, verdict.refusals = history.again, history.refusals
    verdict.closes = history.closes
    verdict.struck = Counter(struck.fault for struck in history.struck)
    verdict.recovered = checker.recoveries(history)
    verdict.wrongs += checker.broken_promises(history, rows)
    for fault, waits in verdict.recovered.items():
        if checker.quantile(waits, checker.RECOVERED_SHARE) > verdict.options.recovery_seconds:
            verdict.wrongs.append(f"{fault}: slow to flow again: {_most(waits)}")
    struck = [fault for fault in FAULTS if fault.name in verdict.struck]
    excuses = [*verdict.options.excuses, *(excuse for fault in struck for excuse in fault.excuses)]
    verdict.wrongs += [f"unexplained: {line}" for line in checker.unexplained(log, excuses)]


def _most(waits: Sequence[float]) -> str:
    if not waits:
        return "nobody waited"
    return f"p50 {checker.quantile(waits, 0.5):.2f} s, p99 {checker.quantile(waits, 0.99):.2f} s"
