"""Logins over the HTTP API: how many a second, and what one costs."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

import msgspec

from bench.server import cpu
from bench.server.figures import Table
from bench.server.generator import generator
from bench.server.link import Broken
from bench.server.options import Options
from bench.server.plant import plant
from bench.server.rounds import on_uvloop
from reference import b64u, identity
from reference.identity import Identity

AT_ONCE = 8
PARTS = ("server", "database", "generator")


def logins(options: Options) -> Iterator[Table]:
    """Challenge and answer over HTTP, 8 people at once: logins a second, CPU-ms of each part for one."""
    table = Table(
        f"Logins, {AT_ONCE} at once (the generator opens RSA-3072 for each): CPU-ms of each part for one",
        ("", "logins/s", *PARTS, "server's core", "p50 ms"),
    )
    for kind, database in options.setups:
        with table.attempt(f"{kind}, {database}"), plant(kind, database) as running, generator() as ask:
            found = [
                ask(log_in_for, running.origins[0], running.families, options.seconds)
                for _ in range(options.rounds)
            ]
            table.add(
                f"{kind}, {database}",
                median(each.logins / each.seconds for each in found),
                *(median(1000 * each.cpu[part] / each.logins for each in found) for part in PARTS),
                f"{100 * median(each.cpu['server'] / each.seconds for each in found):.0f} %",
                1000 * median(each.wait for each in found),
            )
    yield table


@dataclass(frozen=True)
class Found:
    """So many logins in so many seconds; CPU seconds by family; the median time of one."""

    logins: int
    seconds: float
    cpu: dict[str, float]
    wait: float


def log_in_for(origin: str, families: cpu.Families, seconds: float) -> Found:
    """AT_ONCE people log in again and again, each on a connection that stays open."""
    people = [Identity.generate() for _ in range(AT_ONCE)]

    async def run() -> Found:
        waits: list[float] = []
        meter, began = cpu.Meter(families), time.monotonic()
        async with asyncio.TaskGroup() as group:
            for each in people:
                group.create_task(_log_in(origin, each, began + seconds, waits))
        return Found(len(waits), time.monotonic() - began, meter.used(), median(waits))

    return on_uvloop(run())


async def _log_in(origin: str, who: Identity, until: float, waits: list[float]) -> None:
    """Until then."""
    url = urlsplit(origin)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    jwk = {"kty": "RSA", "e": "AQAB", "n": b64u.encode(who.modulus)}

    async def call(path: str, body: object) -> dict[str, str]:
        data = msgspec.json.encode(body)
        head = f"POST {path} HTTP/1.1\r\nHost: {url.netloc}\r\nOrigin: {origin}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        lengths = [line.split(":")[1] for line in lines if line.lower().startswith("content-length:")]
        answer = await reader.readexactly(int(lengths[0]))
        if " 200 " not in status:
            raise Broken(f"{status}: {answer.decode()}")
        return msgspec.json.decode(answer, type=dict[str, str])

    try:
        while time.monotonic() < until:
            began = time.monotonic()
            asked = await call("/api/login/challenge", {"key": jwk})
            proof = identity.prove_login(who, origin, b64u.decode(asked["c"]))
            await call("/api/login", {"challenge": asked["challenge"], "proof": b64u.encode(proof)})
            waits.append(time.monotonic() - began)
    finally:
        writer.close()
