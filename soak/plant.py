"""The real processes, each of which can be hurt by itself, and the networks between them.

people ── Proxy ── server-1 ┐            ┌ worker
people ── Proxy ── server-2 ┴ HintProxy ─┴ beat ── valkey        database: SQLite, or a PostgreSQL of its own
"""

import asyncio
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil
import psycopg

from messenger.stack import place, probe
from messenger.tests.services import postgres_binaries
from soak.clocks import Clock
from soak.hosts import HERE, Disk, Host, small_disk
from soak.proxy import HintProxy, Proxy
from soak.stack import APPLICATION

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90.0
BACK_SECONDS = 60.0
POLL_SECONDS = 0.02

Database = Literal["sqlite", "postgres"]

#: People come from one address here, and their keys are made beforehand.
ROOMY = {
    "QUARTER_LIMIT_IDENTITIES_PER_MINUTE": "100000",
    "QUARTER_LIMIT_LOGINS_PER_MINUTE": "100000",
    "QUARTER_LIMIT_SOCKETS_PER_ADDRESS": "100000",
}
#: How a part is known by its command line.
MARKS = {
    "server": ("messenger.stack.serve_daphne", "messenger.stack.serve_uvicorn"),
    "worker": ("worker",),
    "beat": ("beat",),
}


@dataclass(frozen=True)
class Extras:
    """What a plant may have beside processes: a disk of so many MiB, a clock that moves, a host, settings."""

    disk_mebibytes: int = 0
    clock: bool = False
    host: Host = HERE
    settings: Mapping[str, str] = field(default_factory=dict)
    application: str = APPLICATION


class NotBack(Exception):
    """A part is not back in time."""


class Plant:
    """See the module. `rng` decides what the networks do. The directory's path must be short, for sockets."""

    def __init__(
        self,
        directory: Path,
        rng: random.Random,
        database: Database = "sqlite",
        servers: int = 1,
        kind: str = "daphne",
        extras: Extras = Extras(),
    ) -> None:
        self.directory, self.database, self.servers, self._kind = directory, database, servers, kind
        self._extras = extras
        self._rng = rng
        self.disk: Disk | None = None
        self.clock: Clock | None = None
        self.log_path = directory / "log"
        self.data = directory / "data"

    async def __aenter__(self) -> "Plant":
        self._held = contextlib.AsyncExitStack()
        try:
            await self._start()
        except BaseException:
            await self._held.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._held.aclose()

    async def _start(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        if self._extras.disk_mebibytes:
            self.database_path.parent.mkdir()
            self.disk = self._held.enter_context(
                small_disk(self.database_path.parent, self._extras.disk_mebibytes)
            )
        if self._extras.clock:
            self.clock = Clock(self.directory / "clock")
        self.proxies = [await self._held.enter_async_context(Proxy(self._rng)) for _ in range(self.servers)]
        hints = self.directory / "hints.sock"
        self.hints = await self._held.enter_async_context(HintProxy(hints, self.valkey_socket, self._rng))
        self.postgres = Postgres(self.directory / "postgres") if self.database == "postgres" else None
        if self.postgres:
            self.postgres.make()
            self._held.callback(self.postgres.end)
            self.postgres.start()
            await until(self.postgres.answers, START_SECONDS, "postgres")
        self._stack = self._held.enter_context(self._stack_process(hints))
        await until(lambda: self._ports() is not None, START_SECONDS, "the stack")
        ports = self._ports() or []
        for proxy, port in zip(self.proxies, ports, strict=True):
            proxy.aim(self._extras.host.address, port)
        self.ports = ports
        await self.ready()

    # --- what is there --------------------------------------------------------------------------------

    @property
    def urls(self) -> list[str]:
        """Where people go, one for each server."""
        return [proxy.url for proxy in self.proxies]

    @property
    def database_path(self) -> Path:
        """The SQLite file. It has the small disk for itself."""
        place = self.directory / "disk" if self._extras.disk_mebibytes else self.data
        return place / "quarter.sqlite3"

    @contextlib.contextmanager
    def nobody_restarts(self) -> Iterator[None]:
        """The supervisor sleeps meanwhile."""
        supervisor = psutil.Process(self._stack.pid)
        supervisor.suspend()
        try:
            yield
        finally:
            supervisor.resume()

    def log(self) -> list[str]:
        """The lines that the parts have printed."""
        return self.log_path.read_text(errors="replace").splitlines()

    def process(self, name: str) -> psutil.Process | None:
        """The process of "server-1", "worker", "beat" or "valkey", where there is one."""
        kind, _, number = name.partition("-")
        found = [each for each in self._children() if _is(each, kind)]
        # Two servers differ by the socket that they were given; it rises with their number.
        found.sort(key=lambda each: int((re.findall(r"(?:--fd |fd:)(\d+)", _line(each)) or ["0"])[0]))
        index = int(number or 1) - 1
        if kind == "server" and len(found) < self.servers:
            return None
        return found[index] if index < len(found) else None

    def _children(self) -> list[psutil.Process]:
        return psutil.Process(self._stack.pid).children()

    # --- hurting --------------------------------------------------------------------------------------

    async def kill(self, name: str) -> None:
        """SIGKILL; returns when the part is back (its supervisor starts it again)."""
        process = await self.there(name)
        process.kill()
        await self.there(name, process)
        await self.ready()

    async def there(self, name: str, after: psutil.Process | None = None) -> psutil.Process:
        """The process of a part, as soon as there is one that isn't `after`; NotBack."""
        found: list[psutil.Process | None] = [None]

        def is_there() -> bool:
            found[0] = self.process(name)
            return found[0] not in (None, after)

        await until(is_there, BACK_SECONDS, name)
        [process] = found
        assert process is not None
        return process

    async def stop(self, name: str, seconds: float) -> None:
        """SIGSTOP for so long."""
        process = await self.there(name)
        process.suspend()
        try:
            await asyncio.sleep(seconds)
        finally:
            process.resume()
        await self.ready()

    async def ready(self) -> None:
        """Every server says that it, its database and its Redis are there; NotBack."""
        for port in self.ports:
            await until(lambda port=port: asyncio.to_thread(self._is_ready, port), BACK_SECONDS, "a server")

    @property
    def valkey_socket(self) -> Path:
        """Valkey itself, past the proxy."""
        return place.socket_path(self.data / "run")

    def _is_ready(self, port: int) -> bool:
        return probe.is_ready(self._extras.host.address, port, {})

    # --- starting -------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _stack_process(self, redis: Path) -> Iterator["subprocess.Popen[bytes]"]:
        page = self.directory / "page"
        page.mkdir(exist_ok=True)
        (page / "index.html").write_text("<!doctype html><title>Quarter</title>")
        given = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        env = {
            **given,
            **ROOMY,
            "PYTHONUNBUFFERED": "1",
            "QUARTER_DATA_DIR": str(self.data),
            "QUARTER_PAGE_DIR": str(page),
            "QUARTER_ORIGINS": ",".join(self.urls),
            "REDIS_URL": f"unix://{redis}",
            "DATABASE_URL": self.postgres.url if self.postgres else f"sqlite:///{self.database_path}",
            **(self.clock.environment if self.clock else {}),
            **self._extras.settings,
        }
        host = self._extras.host
        command = [*host.prefix, sys.executable, "-m", "soak.stack", str(self.data), "--host", host.address]
        command += ["--servers", str(self.servers), "--kind", self._kind]
        command += ["--application", self._extras.application]
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _ports(self) -> list[int] | None:
        if self._stack.poll() is not None:
            raise NotBack("\n".join(self.log()))
        words = next((line.split() for line in self.log() if line.startswith("ready ")), None)
        return [int(port) for port in words[1:]] if words else None


class Postgres:
    """A PostgreSQL cluster of our own on a private socket, with fsync as it comes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._user = "postgres" if os.getuid() == 0 else None
        self.url = f"postgres://postgres@/{str(directory).replace('/', '%2F')}/postgres"
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Makes the cluster."""
        self._directory.mkdir()
        if self._user:
            shutil.chown(self._directory, self._user)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "--no-sync")

    def start(self) -> None:
        """Starts the server; `answers` says when it is there."""
        command = [str(postgres_binaries() / "postgres"), "-D", str(self._data), "-k", str(self._directory)]
        command += ["-c", "listen_addresses=", "-c", "log_min_messages=fatal"]
        self._process = subprocess.Popen(
            command,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """SIGQUIT: PostgreSQL's own "as if the power had failed", which leaves no process behind."""
        self._stop(signal.SIGQUIT)

    def end(self) -> None:
        """Ends it, whatever it does."""
        self._stop(signal.SIGINT)

    def end_backends(self) -> int:
        """Terminates the connection of everybody else; how many."""
        with self.connect() as connection:
            rows = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return len(rows.fetchall())

    def answers(self) -> bool:
        """Whether it takes connections."""
        with contextlib.suppress(psycopg.OperationalError):
            self.connect().close()
            return True
        return False

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of its administrator."""
        return psycopg.connect(host=str(self._directory), user="postgres", dbname="postgres")

    def _stop(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def _run(self, name: str, *args: str) -> None:
        subprocess.run(
            [str(postgres_binaries() / name), *args], user=self._user, check=True, stdout=subprocess.DEVNULL
        )

    @property
    def _data(self) -> Path:
        return self._directory / "data"


async def until(true: object, seconds: float, what: str) -> None:
    """Waits until a function, or what it returns when awaited, is true; NotBack."""
    give_up_at = time.monotonic() + seconds
    while True:
        answer = true()  # type: ignore[operator]
        if await answer if asyncio.iscoroutine(answer) else answer:
            return
        if time.monotonic() > give_up_at:
            raise NotBack(f"{what} is not there after {seconds:.0f} s")
        await asyncio.sleep(POLL_SECONDS)


def _is(process: psutil.Process, kind: str) -> bool:
    line = _line(process)
    return (
        any(f" {mark} " in f"{line} " for mark in MARKS[kind])
        if kind in MARKS
        else f"/{kind}" in line.split(" ")[0]
    )


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
