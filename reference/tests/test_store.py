"""What a client keeps."""

import os
from pathlib import Path

import pytest

from reference import b64u, store, trouble
from reference.store import Delete, Forget, Put, Store

SESSION_ID = bytes(range(32))
SESSION = b64u.encode(SESSION_ID)
HALF = b"h" * 32


def kept(directory: Path) -> bytes:
    """Every byte that lies there."""
    return b"".join(path.read_bytes() for path in directory.iterdir())


def fill(directory: Path) -> None:
    """A store with one record of each seal."""
    opened = Store(directory)
    opened.unlock(SESSION, SESSION_ID, HALF)
    opened.commit([Put("identity", "key", b"a secret"), Put("head", SESSION, b"another secret", SESSION)])
    opened.close()


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    fill(tmp_path)
    again = Store(tmp_path)
    assert again.read("identity", "key") == b"a secret"
    assert again.keys("head") == [SESSION]
    again.unlock(SESSION, SESSION_ID, HALF)
    assert again.read("head", SESSION, SESSION) == b"another secret"
    assert again.read_all("head", SESSION) == {SESSION: b"another secret"}
    again.close()


def test_no_plaintext_is_written(tmp_path: Path) -> None:
    fill(tmp_path)
    assert b"secret" not in kept(tmp_path)


def test_without_the_servers_half_a_conversation_does_not_open(tmp_path: Path) -> None:
    fill(tmp_path)
    again = Store(tmp_path)
    again.unlock(SESSION, SESSION_ID, b"x" * 32)
    with pytest.raises(trouble.Unusable):
        again.read("head", SESSION, SESSION)
    again.close()


def test_without_the_local_half_nothing_opens(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "local-half").write_bytes(os.urandom(32))
    again = Store(tmp_path)
    with pytest.raises(trouble.Unusable):
        again.read("identity", "key")
    again.close()


def test_a_record_that_was_moved_does_not_open() -> None:
    opened = Store()
    opened.commit([Put("link", "one", b"value")])
    opened._database.execute("UPDATE record SET key = 'two'")
    with pytest.raises(trouble.Unusable):
        opened.read("link", "two")


def test_of_writes_that_fail_none_is_made() -> None:
    opened = Store()
    with pytest.raises(KeyError):
        opened.commit([Put("link", "one", b"value"), Put("head", SESSION, b"locked", SESSION)])
    assert opened.keys("link") == []


def test_a_session_that_is_forgotten_leaves_nothing() -> None:
    opened = Store()
    opened.unlock(SESSION, SESSION_ID, HALF)
    opened.commit([Put(each, f"{SESSION}/1", b"value", SESSION) for each in ("head", "record", "outbox")])
    opened.commit([Put("link", "one", b"value"), Put("link", "two", b"value")])
    opened.commit([Forget(SESSION), Delete("link", "one")])
    assert [opened.keys(each) for each in ("head", "record", "outbox")] == [[], [], []]
    assert opened.keys("link") == ["two"]


def test_only_its_owner_may_read_the_local_half(tmp_path: Path) -> None:
    fill(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "state" / "local-half").stat().st_mode & 0o777 == 0o600


def test_a_directory_is_held_by_one(tmp_path: Path) -> None:
    first = Store(tmp_path)
    with pytest.raises(trouble.Unusable, match="held by another"):
        Store(tmp_path)
    first.close()
    Store(tmp_path).close()


def test_a_store_that_was_erased_is_no_more(tmp_path: Path) -> None:
    fill(tmp_path / "state")
    opened = Store(tmp_path / "state")
    assert store.is_kept(tmp_path / "state")
    opened.erase()
    assert not (tmp_path / "state").exists()


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(trouble.Unusable, match="can't be written to"):
        Store(tmp_path / "file" / "state")


def test_a_file_that_is_no_state_is_named(tmp_path: Path) -> None:
    (tmp_path / "quarter.sqlite3").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(trouble.Unusable, match="does not hold a usable state"):
        Store(tmp_path)
