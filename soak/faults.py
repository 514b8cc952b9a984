"""What is done to the plant, one at a time. `strike` hurts, holds, and returns when the broken part is back.

Each fault names the lines that it explains (`excuses`, regular expressions): any other line that a part logs
above INFO is one that nobody can explain, and fails the run.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import redis

from soak.plant import START_SECONDS, Plant, until

T = TypeVar("T")
Strike = Callable[[Plant, random.Random], Awaitable[None]]
HOLD_SECONDS = (3.0, 6.0)
STOP_SECONDS = 10.0
#: A server that is asked to end has done so by then.
OUT_SECONDS = 8.0

#: The supervisor says it.
RESTARTED = r"^[\w-]+ ended \(.*\); it is started again"
#: Hints are lost and come back; the channel layer logs its own error beside ours.
REDIS_GONE = (
    r"layer_lost|layer_back|layer_was_deaf|layer_slow|hints_lost",
    r"\[channels_redis\.pubsub\]",
    r"\[django\.request\].*status=503",
    r"celery|kombu|consumer: |beat: |Connection|broker",
)
#: A server that was away wakes up and finds that the clock is overdue, its Redis too.
WAS_AWAY = ("sweep_overdue", *REDIS_GONE)
DATABASE_GONE = (
    "commit_failed|commits_back|database_trouble|sweep_failed|bytes_not_freed +error=",
    r"\[psycopg\.pool\]",
    r"\[django\.request\].*status=503",
    r"restarted .*(OperationalError|InterfaceError|PoolTimeout|AdminShutdown)",
)
DISK_GONE = ("bytes_not_freed",)


@dataclass(frozen=True)
class Fault:
    """One of them; `fits` says whether a plant has what it hurts, `needs` what to ask for otherwise."""

    name: str
    strike: Strike
    excuses: tuple[str, ...] = ()
    fits: Callable[[Plant], bool] = lambda plant: True
    needs: str = ""


def _kill(part: str) -> Strike:
    async def strike(plant: Plant, rng: random.Random) -> None:
        await plant.kill(_one_of(part, plant, rng))

    return strike


def _stop(part: str) -> Strike:
    async def strike(plant: Plant, rng: random.Random) -> None:
        await plant.stop(_one_of(part, plant, rng), STOP_SECONDS)

    return strike


def _one_of(part: str, plant: Plant, rng: random.Random) -> str:
    return f"server-{rng.randint(1, plant.servers)}" if part == "server" else part


def _network(mishap: str) -> Strike:
    """Something on the way between people and servers, for a while; then the network is good again."""

    async def strike(plant: Plant, rng: random.Random) -> None:
        proxy = rng.choice(plant.proxies)
        getattr(proxy, mishap)()
        if mishap not in ("cut", "half_close"):
            await asyncio.sleep(rng.uniform(*HOLD_SECONDS))
        proxy.heal()

    return strike


def _hints(mishap: str) -> Strike:
    async def strike(plant: Plant, rng: random.Random) -> None:
        getattr(plant.hints, mishap)()
        await asyncio.sleep(rng.uniform(*HOLD_SECONDS))
        plant.hints.heal()

    return strike


async def _slow_valkey(plant: Plant, rng: random.Random) -> None:
    plant.hints.slow(rng.uniform(0.2, 1.0))
    await asyncio.sleep(rng.uniform(*HOLD_SECONDS))
    plant.hints.heal()
    await plant.ready()


async def _flush_valkey(plant: Plant, rng: random.Random) -> None:
    with redis.Redis(unix_socket_path=str(plant.valkey_socket)) as client:
        await asyncio.to_thread(client.flushall)
    await plant.ready()


async def _fill_valkey(plant: Plant, rng: random.Random) -> None:
    """Every command that needs memory is refused for a while."""
    with redis.Redis(unix_socket_path=str(plant.valkey_socket)) as client:
        before = (await asyncio.to_thread(client.config_get, "maxmemory"))["maxmemory"]
        await asyncio.to_thread(client.config_set, "maxmemory", 1)
        await asyncio.sleep(rng.uniform(*HOLD_SECONDS))
        await asyncio.to_thread(client.config_set, "maxmemory", before)
    await plant.ready()


async def _restart_valkey(plant: Plant, rng: random.Random) -> None:
    process = await plant.there("valkey")
    process.terminate()
    await plant.there("valkey", process)
    await plant.ready()


async def _restart_server(plant: Plant, rng: random.Random) -> None:
    """SIGTERM, as a deployment does it."""
    name = _one_of("server", plant, rng)
    process = await plant.there(name)
    process.terminate()
    await until(lambda: not process.is_running(), OUT_SECONDS, "the end of a server")
    await plant.there(name, process)
    await plant.ready()


async def _end_backends(plant: Plant, rng: random.Random) -> None:
    await asyncio.to_thread(_given(plant.postgres).end_backends)
    await plant.ready()


async def _restart_postgres(plant: Plant, rng: random.Random) -> None:
    postgres = _given(plant.postgres)
    await asyncio.to_thread(postgres.kill)
    await asyncio.sleep(rng.uniform(0.0, 3.0))
    postgres.start()
    await until(postgres.answers, START_SECONDS, "postgres")
    await plant.ready()


async def _fill_disk(plant: Plant, rng: random.Random) -> None:
    disk = _given(plant.disk)
    await asyncio.to_thread(disk.fill)
    await asyncio.sleep(rng.uniform(*HOLD_SECONDS))
    disk.clear()
    await plant.ready()


async def _freeze_disk(plant: Plant, rng: random.Random) -> None:
    """A disk that somebody writes to can't be made read-only: the parts start again and find it so."""
    disk = _given(plant.disk)
    names = [*(f"server-{number}" for number in range(1, plant.servers + 1)), "worker"]
    with plant.nobody_restarts():
        for name in names:
            (await plant.there(name)).kill()
        await until(disk.freeze, START_SECONDS, "a disk that nobody writes to")
    await asyncio.sleep(rng.uniform(*HOLD_SECONDS))
    disk.thaw()
    for name in names:
        await plant.there(name)
    await plant.ready()


async def _move_clock(plant: Plant, rng: random.Random) -> None:
    """An hour forwards or back, and then right again. Nobody's time is so short that this ends it."""
    clock = _given(plant.clock)
    clock.move(rng.choice((-3600, 3600)))
    await asyncio.sleep(rng.uniform(*HOLD_SECONDS))
    clock.move(0)
    await asyncio.sleep(1)
    await plant.ready()


def _given(thing: T | None) -> T:
    if thing is None:
        raise ValueError("this plant has none")
    return thing


def _has_postgres(plant: Plant) -> bool:
    return plant.postgres is not None


def _has_two(plant: Plant) -> bool:
    return plant.servers > 1


def _has_disk(plant: Plant) -> bool:
    return plant.disk is not None


def _has_clock(plant: Plant) -> bool:
    return plant.clock is not None


NEEDS_POSTGRES, NEEDS_TWO = "--database postgres", "--servers 2"
NEEDS_DISK, NEEDS_CLOCK = "--disk, as root", "--clock, with libfaketime"

FAULTS = (
    Fault("server killed", _kill("server"), (RESTARTED,)),
    Fault("worker killed", _kill("worker"), (RESTARTED, *REDIS_GONE)),
    Fault("beat killed", _kill("beat"), (RESTARTED,)),
    Fault("Valkey killed", _kill("valkey"), (RESTARTED, *REDIS_GONE)),
    Fault("server stopped", _stop("server"), WAS_AWAY),
    Fault("worker stopped", _stop("worker"), WAS_AWAY),
    Fault("beat stopped", _stop("beat"), WAS_AWAY),
    Fault("Valkey stopped", _stop("valkey"), REDIS_GONE),
    Fault("server restarted", _restart_server, (RESTARTED, "sockets_left")),
    Fault("Valkey restarted", _restart_valkey, (RESTARTED, *REDIS_GONE)),
    Fault("Valkey flushed", _flush_valkey, REDIS_GONE),
    Fault("Valkey full", _fill_valkey, REDIS_GONE),
    Fault("Valkey slow", _slow_valkey, REDIS_GONE),
    Fault("PostgreSQL backends ended", _end_backends, DATABASE_GONE, _has_postgres, NEEDS_POSTGRES),
    Fault("PostgreSQL restarted", _restart_postgres, DATABASE_GONE, _has_postgres, NEEDS_POSTGRES),
    Fault("disk full", _fill_disk, (*DATABASE_GONE, *DISK_GONE), _has_disk, NEEDS_DISK),
    Fault(
        "disk read-only",
        _freeze_disk,
        (RESTARTED, *REDIS_GONE, *DATABASE_GONE, *DISK_GONE),
        _has_disk,
        NEEDS_DISK,
    ),
    Fault("clock moved", _move_clock, WAS_AWAY, _has_clock, NEEDS_CLOCK),
    Fault("connections cut", _network("cut")),
    Fault("connections half-closed", _network("half_close")),
    Fault("network stalled", _network("stall")),
    Fault("network slow", _network("delay")),
    Fault("network byte by byte", _network("dribble")),
    Fault("hints lost", _hints("drop"), ("layer_was_deaf",), _has_two, NEEDS_TWO),
    Fault("hints doubled", _hints("double"), (), _has_two, NEEDS_TWO),
    Fault("hints shuffled", _hints("shuffle"), (), _has_two, NEEDS_TWO),
)
