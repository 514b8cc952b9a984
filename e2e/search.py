"""Looking for bytes where they must not be: files, Valkey, and the memory of processes."""

import io
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import redis

PIECE_BYTES = 1 << 22


def files_holding_any(needles: Iterable[bytes], paths: Iterable[Path]) -> list[str]:
    """The files whose bytes hold one of the needles. Files that go away meanwhile hold nothing."""
    wanted = list(needles)
    return [path.name for path in paths if any(needle in _bytes_of(path) for needle in wanted)]


def tables_holding(needle: bytes, database: Path) -> list[str]:
    """The tables with a row whose dump holds the needle."""
    return [name for name, rows in dump(database).items() if needle in repr(rows).encode()]


def dump(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of an SQLite file."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", timeout=60, uri=True)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    finally:
        connection.close()


def keys_holding(needle: bytes, socket: Path) -> list[str]:
    """The keys of Valkey that hold the needle, in name or value (as DUMP gives it)."""
    with redis.Redis(unix_socket_path=str(socket)) as client:
        return [
            repr(key) for key in client.scan_iter() if needle in key or needle in (client.dump(key) or b"")
        ]


def processes_holding(needles: Iterable[bytes], processes: Iterable[psutil.Process]) -> list[str]:
    """The processes whose memory holds one of the needles. Needs to be their user, or root."""
    wanted = list(needles)
    return [" ".join(process.cmdline()) for process in processes if _memory_holds(process.pid, wanted)]


def _memory_holds(pid: int, needles: list[bytes]) -> bool:
    overlap = max(map(len, needles)) - 1
    with io.FileIO(f"/proc/{pid}/mem") as memory:
        for start, end in _readable_ranges(pid):
            tail = b""
            for at in range(start, end, PIECE_BYTES):
                piece = _read(memory, at, min(PIECE_BYTES, end - at))
                if any(needle in tail + piece for needle in needles):
                    return True
                tail = piece[-overlap:]
    return False


def _readable_ranges(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, permissions, *rest = line.split()
        if permissions.startswith("r") and not rest[-1].startswith("[v"):
            start, end = addresses.split("-")
            yield int(start, 16), int(end, 16)


def _read(memory: io.FileIO, at: int, length: int) -> bytes:
    """b"" where the range has gone or was never backed."""
    try:
        memory.seek(at)
        return memory.read(length) or b""
    except (OSError, ValueError, OverflowError):
        return b""


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
