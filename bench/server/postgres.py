"""A PostgreSQL cluster of our own, as docker-compose starts it, on a private socket; fsync is on."""

import contextlib
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import yaml

from messenger.tests.services import ROOT, postgres_binaries, shipped_flags

START_SECONDS = 30.0
PR_SET_PDEATHSIG = 1


class Postgres:
    """A running cluster: `url` for the server, `pid` of its first process."""

    def __init__(self, directory: Path, pid: int) -> None:
        self._directory, self.pid = directory, pid
        self.url = f"postgres://postgres@/{str(directory).replace('/', '%2F')}/postgres"

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of its administrator."""
        return psycopg.connect(host=str(self._directory), user="postgres", dbname="postgres", autocommit=True)


@contextlib.contextmanager
def postgres(directory: Path) -> Iterator[Postgres]:
    """Makes a cluster in `directory`, which is new, and runs it. It refuses to run as root."""
    user = "postgres" if os.getuid() == 0 else None
    directory.mkdir()
    if user:
        shutil.chown(directory, user)
    data = directory / "data"
    binaries = postgres_binaries()
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", *_shipped_initdb()]
    subprocess.run(initdb, user=user, check=True, stdout=subprocess.DEVNULL)
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(directory), *shipped_flags()]
    command += ["-c", "listen_addresses=", "-c", "log_min_messages=fatal"]
    die_with_parent = ctypes.CDLL(None).prctl
    process = subprocess.Popen(
        command,
        user=user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: die_with_parent(PR_SET_PDEATHSIG, signal.SIGQUIT),
    )
    try:
        cluster = Postgres(directory, process.pid)
        _wait_for(cluster)
        yield cluster
    finally:
        process.send_signal(signal.SIGQUIT)  # nobody needs what it holds
        process.wait(30)


def _wait_for(cluster: Postgres) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            return cluster.connect().close()
        except psycopg.OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.05)


def _shipped_initdb() -> list[str]:
    """What docker-compose.yml tells initdb, but for how passwords are checked."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    words = shlex.split(services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"])
    return [word for word in words if not word.startswith("--auth")]
