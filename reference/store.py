"""What a client keeps, sealed, in one SQLite file (PROTOCOL §9); in memory it is the same without a disk.

    directory/local-half     32 random bytes: this side's half of every seal, readable by its owner alone
    directory/quarter.sqlite3
        record (store, key, sealed)
        sealed = nonce (12) ‖ AES-256-GCM(value), with store ‖ 0x00 ‖ key as associated data

    store      key                         sealed with
    identity   "key"                       the local half alone
    link       a random name               the local half alone
    processed  session                     the local half alone (empty: that it is there is all that it says)
    head       session                     both halves of that session
    record     session/place               both halves
    outbox     session/n                   both halves

The server's half of a session is given to `unlock` and lies in memory only: once the server has deleted it,
what is left here opens no more. A `commit` is one transaction that is on the disk when it returns. One
process holds a directory at a time.
"""

import contextlib
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from reference import primitives, trouble
from reference.errors import ProtocolError
from reference.primitives import NONCE_BYTES

HALF_BYTES = 32
SEAL_INFO = b"quarter/1 seal"


class Put(msgspec.Struct, frozen=True):
    """Write `value`; with a session it is sealed with both halves of it."""

    store: str
    key: str
    value: bytes
    session: str | None = None


class Delete(msgspec.Struct, frozen=True):
    """Delete one record."""

    store: str
    key: str


class Forget(msgspec.Struct, frozen=True):
    """Delete all records of a session."""

    session: str


Write = Put | Delete | Forget


class Store:
    """See above. Without a directory nothing outlives the process."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._lock = _hold(directory) if directory else -1
        try:
            self._local = _local_half(directory) if directory else secrets.token_bytes(HALF_BYTES)
            self._database = _open(str(directory / "quarter.sqlite3") if directory else ":memory:")
        except (sqlite3.Error, OSError) as error:
            self._unlock_directory()
            raise trouble.Unusable(f"{directory} does not hold a usable state ({error}).") from error
        self._keys: dict[str | None, bytes] = {None: _derive(self._local, b"")}

    def unlock(self, session: str, session_id: bytes, half: bytes) -> None:
        """Take the server's half (32 bytes) of a session, whose id is given as text and as 32 bytes."""
        self._keys[session] = _derive(self._local, half + session_id)

    def keys(self, store: str) -> list[str]:
        """The keys of all records of one kind."""
        rows = self._database.execute("SELECT key FROM record WHERE store = ? ORDER BY rowid", (store,))
        return [key for (key,) in rows]

    def read(self, store: str, key: str, session: str | None = None) -> bytes | None:
        """The value under `key`, None where there is none; Unusable."""
        row = self._database.execute(
            "SELECT sealed FROM record WHERE store = ? AND key = ?", (store, key)
        ).fetchone()
        return None if row is None else self._unseal(store, key, row[0], session)

    def read_all(self, store: str, session: str | None = None) -> dict[str, bytes]:
        """All records of one kind, or those of one session, in the order in which they were written."""
        rows = self._database.execute(
            "SELECT key, sealed FROM record WHERE store = ? AND session IS ? ORDER BY rowid", (store, session)
        )
        return {key: self._unseal(store, key, sealed, session) for key, sealed in rows}

    def commit(self, writes: Iterable[Write]) -> None:
        """Make all of these writes, or none; they are on the disk when this returns."""
        writes = list(writes)
        if not writes:
            return
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                for write in writes:
                    self._write(write)
        except sqlite3.Error as error:
            raise trouble.Unusable(f"What has to be kept can't be written ({error}).") from error

    def erase(self) -> None:
        """Delete everything, the local half first: what a disk still holds then opens no more."""
        if self._directory:
            _overwrite(self._directory / "local-half")
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("DELETE FROM record")
        self._keys.clear()
        self.close()
        if self._directory:
            for name in ("quarter.sqlite3", "quarter.sqlite3-journal", "lock"):
                (self._directory / name).unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # somebody's own files are there too
                self._directory.rmdir()

    def close(self) -> None:
        """Let go of the directory."""
        self._database.close()
        self._unlock_directory()

    def _unlock_directory(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _write(self, write: Write) -> None:
        match write:
            case Put(store, key, value, session):
                self._database.execute(
                    "INSERT INTO record (store, key, session, sealed) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (store, key) DO UPDATE SET sealed = excluded.sealed",
                    (store, key, session, self._seal(store, key, value, session)),
                )
            case Delete(store, key):
                self._database.execute("DELETE FROM record WHERE store = ? AND key = ?", (store, key))
            case Forget(session):
                self._database.execute("DELETE FROM record WHERE session = ?", (session,))
                self._keys.pop(session, None)

    def _seal(self, store: str, key: str, value: bytes, session: str | None) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + primitives.seal(self._keys[session], nonce, value, _name(store, key))

    def _unseal(self, store: str, key: str, sealed: bytes, session: str | None) -> bytes:
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return primitives.unseal(self._keys[session], nonce, body, _name(store, key))
        except ProtocolError:
            raise trouble.Unusable("What was kept does not open any more.") from None


def is_kept(directory: Path) -> bool:
    """Whether there is a state in this directory."""
    return (directory / "local-half").exists()


def _name(store: str, key: str) -> bytes:
    return f"{store}\0{key}".encode()


def _derive(local: bytes, salt: bytes) -> bytes:
    return primitives.hkdf(local, salt, SEAL_INFO, HALF_BYTES)


def _open(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = TRUNCATE")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA secure_delete = ON")
    database.execute(
        "CREATE TABLE IF NOT EXISTS record (store TEXT NOT NULL, key TEXT NOT NULL, session TEXT,"
        " sealed BLOB NOT NULL, UNIQUE (store, key))"
    )
    return database


def _hold(directory: Path) -> int:
    """A lock on the directory, which is made where it is missing."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise trouble.Unusable(f"{directory} can't be written to ({error.strerror}).") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise trouble.Unusable(f"{directory} is held by another process.") from error
    return lock


def _local_half(directory: Path) -> bytes:
    path = directory / "local-half"
    if not path.exists():
        _write_new(path, secrets.token_bytes(HALF_BYTES))
    half = path.read_bytes()
    if len(half) != HALF_BYTES:
        raise OSError(f"{path} has {len(half)} bytes")
    return half


def _write_new(path: Path, data: bytes) -> None:
    """All of it or nothing, and on the disk."""
    half_written = path.with_suffix(".new")
    with open(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half_written.replace(path)
    _sync(path.parent)


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(HALF_BYTES))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    _sync(path.parent)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
