"""The private directory of a running stack: Valkey's socket and beat's schedule, mode 0700.

It lies outside the data directory because a unix socket's path may have 107 bytes at most. The file
`run.lock` in the data directory is locked while a stack runs and names this directory, so that the
next stack removes what a killed one could not.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from messenger.stack import errors

SOCKET_PATH_BYTES = 107
PREFIX = "quarter-"


@contextlib.contextmanager
def hold(data_dir: Path) -> Iterator[Path]:
    """Locks the data directory, makes the private directory, and removes it afterwards."""
    lock = os.open(data_dir / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(lock, data_dir)
        _remove_left_behind(os.pread(lock, 4096, 0))
        directory = _make()
        os.ftruncate(lock, 0)
        os.pwrite(lock, os.fsencode(directory), 0)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def _take(lock: int, data_dir: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise errors.InUse(
            f"Quarter is already running on the data directory {data_dir}.",
            "End the other one, or give this one a directory of its own: --data-dir",
        ) from error


def _make() -> Path:
    directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    if len(os.fsencode(directory / "valkey.sock")) <= SOCKET_PATH_BYTES:
        return directory
    directory.rmdir()
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))  # noqa: S108: mkdtemp makes it 0700


def _remove_left_behind(named: bytes) -> None:
    left = Path(os.fsdecode(named))
    if named and left.name.startswith(PREFIX) and left.is_dir() and left.stat().st_uid == os.getuid():
        shutil.rmtree(left, ignore_errors=True)
