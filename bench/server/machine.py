"""What was measured on: the machine, its disk, and the versions of all that took part."""

import os
import platform
import sqlite3
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

from bench.server.cores import OTHERS_CORE, SERVERS_CORE
from messenger.tests.services import postgres_binaries

SYNC_SECONDS = 0.5
PACKAGES = ("daphne", "uvicorn", "channels", "django", "twisted", "autobahn", "uvloop", "psycopg")


def syncs_per_second(directory: Path) -> float:
    """How often a second 1 KiB more of a file there is made durable."""
    path = directory / "syncs"
    count, until = 0, time.monotonic() + SYNC_SECONDS
    with path.open("wb", buffering=0) as file:
        while time.monotonic() < until:
            file.write(bytes(1024))
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / SYNC_SECONDS


def described() -> str:
    """The lines that belong to every table."""
    cores = f"the server on core {SERVERS_CORE}, all else on core {OTHERS_CORE}"
    postgres = subprocess.check_output([postgres_binaries() / "postgres", "--version"], text=True)
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores ({cores}), Linux {platform.release().split('-')[0]}; "
        f"load {os.getloadavg()[0]:.1f} at the start\n"
        f"Python {platform.python_version()}, {versions}\n"
        f"SQLite {sqlite3.sqlite_version} (synchronous=FULL), {postgres.strip()} (docker-compose.yml)"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line for line in lines if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()
