"""The processes that are measured, as `make run` and docker-compose start them, each on its core.

    one core     the server's processes
    the other    the generator, PostgreSQL, Valkey

Worker and beat are left out: nothing sweeps but where a sweep is measured.
"""

import contextlib
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import redis

from bench.server.cores import OTHERS_CORE, SERVERS_CORE, on_core
from bench.server.ground import ROOT, inherited, temporary_directory, valkey, wait_until
from bench.server.postgres import Postgres, postgres
from bench.server.quarter import Talk
from messenger.stack import child, parts, place, preflight, probe

#: An idle connection of PostgreSQL counts its transactions so late (PGSTAT_IDLE_INTERVAL is 10 s).
POSTGRES_COUNTS_SECONDS = 11.0
#: Thousands of pages have to connect before the server is told to end.
END_SECONDS = 300.0

Database = Literal["sqlite", "postgres"]
KINDS: tuple[parts.ServerName, ...] = get_args(parts.ServerName)
DATABASES: tuple[Database, ...] = get_args(Database)

#: All people come from one machine here and say as much as the server takes.
RAISED = {
    f"QUARTER_LIMIT_{name}": "1000000000"
    for name in (
        "POSTS_BURST",
        "POSTS_PER_SECOND",
        "SESSION_ITEMS",
        "SESSION_BYTES",
        "SOCKETS_PER_ADDRESS",
        "IDENTITIES_PER_MINUTE",
        "LOGINS_PER_MINUTE",
    )
}
#: Nothing ends or is swept meanwhile, and no warning stands between the tables.
CALM = {
    "QUARTER_TTL_SECONDS": "86400",
    "QUARTER_SWEEP_SECONDS": "86400",
    "QUARTER_LOG_LEVEL": "ERROR",  # what is logged then belongs on the screen
}


@dataclass(frozen=True)
class Counted:
    """Messages stored, commits that stored them, publishes, and other transactions (PostgreSQL only)."""

    items: int
    commits: int
    publishes: int
    reads: int | None

    def since(self, before: "Counted") -> "Counted":
        """What was done since then."""
        reads = None if self.reads is None or before.reads is None else self.reads - before.reads
        return Counted(
            self.items - before.items, self.commits - before.commits, self.publishes - before.publishes, reads
        )


@dataclass
class Plant:
    """A running server, or several on one database."""

    kind: parts.ServerName
    database: Database
    directory: Path
    environment: dict[str, str]
    listeners: list[socket.socket]
    valkey_pid: int
    cluster: Postgres | None
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def origins(self) -> list[str]:
        """Where each server process is, http://host:port."""
        return [_origin(listener) for listener in self.listeners]

    @property
    def families(self) -> dict[str, list[int]]:
        """The processes whose CPU time is measured."""
        return {
            "server": [process.pid for process in self.processes],
            "database": [self.cluster.pid] if self.cluster else [],
            "valkey": [self.valkey_pid],
        }

    def run(self, *words: str) -> bytes:
        """Runs `python WORDS` with the server's settings, off its core; what it wrote."""
        command = [sys.executable, *words]
        with on_core(OTHERS_CORE):
            return subprocess.run(
                command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, check=True
            ).stdout

    def write(self, *words: str) -> Any:
        """Runs bench.server.population with these words; what it answered."""
        return msgspec.json.decode(self.run("-m", "bench.server.population", *words))

    def people(self, pairs: int) -> list[Talk]:
        """So many pairs in an open conversation each, the sides of each pair at different servers."""
        origins = self.origins
        return [
            Talk(session, (one, other), (origins[at % len(origins)], origins[(at + 1) % len(origins)]))
            for at, (session, one, other) in enumerate(self.write("pairs", str(pairs)))
        ]

    def counted(self) -> Counted:
        """What was done so far."""
        with redis.Redis.from_url(self.environment["REDIS_URL"]) as client:
            calls: Any = client.info("commandstats")
        publishes = calls.get("cmdstat_publish", {}).get("calls", 0)
        # One commit of the writer gives all its messages the same time.
        rows = "SELECT COUNT(*), COUNT(DISTINCT created_at) FROM chat_item WHERE kind = 'message'"
        if self.cluster is None:
            path = self.environment["DATABASE_URL"].removeprefix("sqlite:///")
            with contextlib.closing(sqlite3.connect(path)) as database:
                items, commits = database.execute(rows).fetchone()
            return Counted(items, commits, publishes, None)
        time.sleep(POSTGRES_COUNTS_SECONDS)
        with self.cluster.connect() as cluster:
            items, commits = cluster.execute(rows).fetchone() or (0, 0)
            [done] = cluster.execute("SELECT SUM(xact_commit) FROM pg_stat_database").fetchone() or (0,)
        return Counted(items, commits, publishes, int(done) - commits)

    def start(self) -> None:
        """Starts a server process for each listener that has none, and waits until all are ready."""
        with on_core(SERVERS_CORE):
            for listener in self.listeners[len(self.processes) :]:
                part = parts.server(self.kind, listener.fileno())
                self.processes.append(child.start(part.argv, self.environment, directory=ROOT, fds=part.fds))
        for listener in self.listeners:
            is_ready = partial(probe.is_ready, "127.0.0.1", listener.getsockname()[1], self.environment)
            wait_until(is_ready, self.kind)

    def wait_for_end(self, is_over: Callable[[], bool]) -> None:
        """Waits until the only process has ended, or it is over anyhow; `start` makes another."""
        [process] = self.processes
        wait_until(lambda: is_over() or process.poll() is not None, "the end of the server", END_SECONDS)
        self.end()

    def end(self) -> None:
        """Kills the server processes."""
        for process in self.processes:
            child.send(process, signal.SIGKILL)
            process.wait(10)
        self.processes.clear()


@contextlib.contextmanager
def plant(kind: parts.ServerName, database: Database, servers: int = 1) -> Iterator[Plant]:
    """Starts it all in a temporary directory; ends it all, whatever happens."""
    with contextlib.ExitStack() as held:
        held.enter_context(on_core(OTHERS_CORE))
        directory = held.enter_context(temporary_directory())
        data = directory / "data"
        data.mkdir(mode=0o700)
        cluster = held.enter_context(postgres(directory / "postgres")) if database == "postgres" else None
        run = held.enter_context(place.hold(data))
        listeners = [
            held.enter_context(contextlib.closing(preflight.listen("127.0.0.1", 0))) for _ in range(servers)
        ]
        environment = {
            **inherited(),
            **RAISED,
            **CALM,
            "DATABASE_URL": cluster.url if cluster else f"sqlite:///{data / 'quarter.sqlite3'}",
            "REDIS_URL": f"unix://{place.socket_path(run)}",
            "QUARTER_DATA_DIR": str(data),
            "QUARTER_ORIGINS": ",".join(map(_origin, listeners)),
        }
        valkey_pid = held.enter_context(valkey(run))
        found = Plant(kind, database, directory, environment, listeners, valkey_pid, cluster)
        found.run(*parts.migrate().argv[1:])
        held.callback(found.end)
        found.start()
        yield found


def _origin(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"
