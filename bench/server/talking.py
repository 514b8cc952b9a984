"""People who talk: what a message costs, and how long it takes, by how much is said and what is stored."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.server import rounds
from bench.server.drive import Round
from bench.server.figures import Table, Target
from bench.server.generator import Generator, generator
from bench.server.machine import syncs_per_second
from bench.server.options import Options
from bench.server.plant import Plant, plant
from bench.server.rounds import Load

PARTS = ("server", "database", "valkey", "generator")
HEAD = ("delivered/s", *PARTS, "server's core", "p50 ms", "p99 ms")
COST = "CPU-ms of each part for 1,000 delivered messages of 1 KiB"


def dialogue(options: Options) -> Iterator[Table]:
    """One message under way in each pair, 1 pair and 20: time until the peer has it."""
    table = Table(
        "One message under way in each pair: from saying to hearing, the disk between them",
        ("", "ms", "delivered/s", "fdatasync/s", "target", ""),
    )
    # Short rounds, as the bucket of `taken` (2,000, chat/limits.py) must not run dry: no person empties it.
    seconds = min(options.seconds, 0.6)
    for kind, database in options.setups:
        with table.attempt(f"{kind}, {database}"), plant(kind, database) as running, generator() as ask:
            talks = running.people(20)
            for pairs, targets in ((1, {0.5: 0.8, 0.99: 1.5}), (20, {0.99: 7.0})):
                load = rounds.Pages(talks[:pairs], options.taken_each)
                found = [
                    ask(rounds.busy, load, running.families, 1, False, seconds, seconds / 4)
                    for _ in range(4 * options.rounds)
                ]
                for part, most in targets.items():
                    wait = median(each.wait(part) for each in found)
                    rate = median(each.rate for each in found)
                    name = f"{kind}, {database}: {pairs} pair{'s' * (pairs > 1)}, p{100 * part:.0f}"
                    syncs = syncs_per_second(running.directory)
                    table.add(name, wait, rate, syncs, target=Target(most=most), value=wait)
    yield table


def saturation(options: Options) -> Iterator[Table]:
    """50 pairs, 16 in flight each way: what 1,000 delivered messages cost."""
    yield _saturated(options, 50, 16, {"daphne": 35.0, "uvicorn": 20.0})


def crowd(options: Options) -> Iterator[Table]:
    """500 pairs, 2 in flight each way: the same."""
    yield _saturated(options, 500, 2, {"daphne": 65.0, "uvicorn": 65.0})


def _saturated(options: Options, pairs: int, in_flight: int, most: dict[str, float]) -> Table:
    table = Table(f"{pairs} pairs, {in_flight} in flight each way. {COST}", ("", *HEAD, "target", ""))
    for kind, database in options.setups:
        with table.attempt(f"{kind}, {database}"), plant(kind, database) as running, generator() as ask:
            load = rounds.Pages(running.people(pairs), options.taken_each)
            found = saturate(options, ask, load, running, in_flight)
            cost = median(each.cost("server") for each in found)
            table.add(f"{kind}, {database}", *cells(found), target=Target(most=most[kind]), value=cost)
            table.notes.append(f"{kind}, {database}: {syncs_per_second(running.directory):,.0f} fdatasync/s")
    return table


def pace(options: Options) -> Iterator[Table]:
    """From 10 messages a second to as many as there can be, 50 pairs: cost against load."""
    table = Table(f"Cost against load, 50 pairs. {COST}", ("messages/s", *HEAD))
    for kind, database in options.setups:
        with table.attempt(f"{kind}, {database}"), plant(kind, database) as running, generator() as ask:
            load = rounds.Pages(running.people(50), options.taken_each)
            most = saturate(options, ask, load, running, 16)
            # What is near to all would pile up in a moment in which the machine does something else.
            for rate in (each for each in (10, 100, 1_000, 3_000, 10_000) if each < most[0].rate / 2):
                found = [
                    ask(rounds.paced, load, running.families, rate, options.seconds, options.warm_seconds)
                    for _ in range(options.rounds)
                ]
                table.add(f"{kind}, {database}: {rate:,}", *cells(found))
            table.add(f"{kind}, {database}: all", *cells(most))
    yield table


def stock(options: Options) -> Iterator[Table]:
    """10², 10⁴ and 10⁶ items of others in the database: cost against what is stored."""
    sizes = (100, 10_000) if options.quick else (100, 10_000, 1_000_000)
    table = Table(
        f"Cost against what is stored, in sessions of 20 items; 50 pairs, 16 in flight. {COST}",
        ("items stored", *HEAD, "times the first", "target", ""),
    )
    for kind, database in options.setups:
        with table.attempt(f"{kind}, {database}"), plant(kind, database) as running, generator() as ask:
            load = rounds.Pages(running.people(50), options.taken_each)
            stored, first = 0, 0.0
            for size in sizes:
                running.write("stock", str(size - stored))
                stored = size
                found = saturate(options, ask, load, running, 16)
                cost = median(each.cost("server") + each.cost("database") for each in found)
                first = first or cost
                name = f"{kind}, {database}: {size:,}"
                ratio = cost / first
                table.add(name, *cells(found), ratio, target=Target(most=1.2), value=ratio)
    yield table


def processes(options: Options) -> Iterator[Table]:
    """Two and four server processes, the sides of each pair apart: cost against one, and hints."""
    table = Table(
        f"Server processes on one core, the sides of each pair at different ones; 50 pairs. {COST}",
        ("processes", *HEAD, "publishes/commit", "messages/commit", "reads/1,000", "times one", "target", ""),
    )
    for kind, database in options.setups:
        first = 0.0
        for servers in (1, 2, 4):
            with (
                table.attempt(f"{kind}, {database}"),
                plant(kind, database, servers) as running,
                generator() as ask,
            ):
                load = rounds.Pages(running.people(50), options.taken_each)
                before = running.counted()
                found = saturate(options, ask, load, running, 16)
                counted = running.counted().since(before)
                # Each page announces its socket when it connects, once a round.
                publishes = counted.publishes - options.rounds * 2 * len(load.talks)
                cost = median(each.cost("server") for each in found)
                first = cost if servers == 1 else first
                table.add(
                    f"{kind}, {database}: {servers}",
                    *cells(found),
                    publishes / counted.commits,
                    counted.items / counted.commits,
                    "–" if counted.reads is None else 1000 * counted.reads / counted.items,
                    cost / first,
                    target=Target(most=1.5),
                    value=cost / first,
                )
    table.notes.append("Reads: other transactions (PostgreSQL). One process: of pages that connect.")
    table.notes.append("Publishes: those of hints, and a heartbeat a second of each process.")
    yield table


def saturate(options: Options, ask: Generator, load: Load, running: Plant, in_flight: int) -> list[Round]:
    """Rounds in which everybody has so many messages under way."""
    return [
        ask(rounds.busy, load, running.families, in_flight, True, options.seconds, options.warm_seconds)
        for _ in range(options.rounds)
    ]


def cells(found: Sequence[Round]) -> list[float | str]:
    """The medians of some rounds, in the order of HEAD."""
    return [
        median(each.rate for each in found),
        *(median(each.cost(part) for each in found) for part in PARTS),
        f"{100 * median(each.cpu['server'] / each.seconds for each in found):.0f} %",
        *(median(each.wait(part) for each in found) for part in (0.5, 0.99)),
    ]
