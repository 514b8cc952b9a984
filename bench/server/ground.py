"""What any server here stands on: a directory, an environment, a Valkey; and waiting until it is there."""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from messenger.stack import child, parts, place

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 60.0


class NotReady(Exception):
    """A part did not start in time."""


@contextlib.contextmanager
def valkey(run: Path) -> Iterator[int]:
    """As `make run` starts it, in its private directory; its process id."""
    process = child.start(parts.valkey(run).argv, inherited(), quiet=True)
    try:
        wait_until(place.socket_path(run).exists, "valkey")
        yield process.pid
    finally:
        process.kill()
        process.wait(10)


@contextlib.contextmanager
def temporary_directory() -> Iterator[Path]:
    """A new directory with a short path, as sockets want it, which PostgreSQL's user can pass through."""
    with tempfile.TemporaryDirectory(prefix="qb-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        yield directory


def inherited() -> dict[str, str]:
    """What every process needs of our environment."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
    """Returns when it is so; NotReady after so long."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up_at:
            raise NotReady(f"{what} is not there after {seconds:.0f} s")
        time.sleep(0.02)
