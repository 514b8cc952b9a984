"""The real server as a process of its own, on the test database."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

from messenger.stack import parts, place, preflight

ORIGIN = "http://localhost:8000"
WAIT_SECONDS = 60.0


@dataclass
class Server:
    """One running server process; `url` is where its websockets are."""

    url: str
    process: "subprocess.Popen[bytes]"

    def end(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_SECONDS)


@contextlib.contextmanager
def start(name: parts.ServerName, redis_url: str, data: Path, **environment: str) -> Iterator[Server]:
    """Start Daphne or uvicorn by the very command of `manage.py run`.

    The socket listens before the process is there, so nobody has to wait for it.
    """
    with preflight.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        part = parts.server(name, listener.fileno())
        process = subprocess.Popen(
            part.argv,
            cwd=settings.BASE_DIR,
            pass_fds=part.fds,
            env=_environment(redis_url, data, environment),
        )
        try:
            yield Server(f"ws://127.0.0.1:{port}", process)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(WAIT_SECONDS)


class Valkey:
    """A Valkey that a test may kill and start again, at the same place."""

    def __init__(self, directory: Path) -> None:
        self._part = parts.valkey(directory)
        self.url = f"unix://{place.socket_path(directory)}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(self._part.argv, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(WAIT_SECONDS)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False


def database_url() -> str:
    """The test database as DATABASE_URL."""
    chosen = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{chosen['NAME']}"
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{chosen['NAME']}"


def _environment(redis_url: str, data: Path, more: dict[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("QUARTER_")}
    ours = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis_url,
        "QUARTER_DATA_DIR": str(data),
        "QUARTER_ORIGINS": ORIGIN,
        "PYTHONWARNINGS": "ignore",
    }
    return plain | ours | more
