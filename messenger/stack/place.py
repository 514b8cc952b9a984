"""The private directory of a running stack, mode 0700: Valkey's socket and log, beat's schedule.

It is `run` in the data directory, where the other commands find the socket too (settings.REDIS_URL). A
unix socket's path may have 107 bytes at most: where it would be longer the directory is a temporary one.
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


@contextlib.contextmanager
def hold(data_dir: Path) -> Iterator[Path]:
    """Locks the data directory for this stack, makes the private directory, removes it afterwards.

    What a killed stack left in it is removed first. Raises errors.InUse.
    """
    lock = os.open(data_dir / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(lock, data_dir)
        directory = _make(data_dir / "run")
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    finally:
        os.close(lock)


def socket_path(directory: Path) -> Path:
    """Where Valkey listens."""
    return directory / "valkey.sock"


def _take(lock: int, data_dir: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise errors.InUse(
            f"Quarter is already running on the data directory {data_dir}.",
            "End the other one, or give this one a directory of its own: --data-dir",
        ) from error


def _make(directory: Path) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    if len(os.fsencode(socket_path(directory))) > SOCKET_PATH_BYTES:
        return Path(tempfile.mkdtemp(prefix="quarter-", dir="/tmp"))
    directory.mkdir(mode=0o700)
    return directory
