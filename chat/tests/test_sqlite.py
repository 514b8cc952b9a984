"""The bytes of what is over leave SQLite's file and its write-ahead log. (Not collected for PostgreSQL.)"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.core.management import call_command
from django.db import OperationalError, connection

from chat import disk, erasure, expiry, node, sessions, tasks, wire
from chat.tests import people
from chat.tests.pages import sender
from chat.tests.people import Person
from chat.tests.test_expiry import later, say

CANARY = b"canary in the ciphertext"
WAYS: dict[str, Callable[[], object]] = {
    "celery": lambda: tasks.sweep.apply(throw=True),
    "command": lambda: call_command("sweep", "--json"),
    "function": expiry.sweep,
}


@pytest.mark.parametrize("way", WAYS)
def test_swept_bytes_are_gone_from_the_disk(
    way: str, alice: Person, bob: Person, session: str, database_path: Path, capsys: Any
) -> None:
    say(session, alice, noise=CANARY, count=9)
    assert CANARY in on_disk(database_path)
    with later(901):
        WAYS[way]()
    assert CANARY not in on_disk(database_path)


def test_left_and_erased_bytes_are_gone_after_the_scrub(
    alice: Person, bob: Person, session: str, database_path: Path
) -> None:
    say(session, alice, noise=CANARY)
    say(people.open_session(bob, alice), bob, noise=CANARY)
    sessions.leave(bob.hash, session)
    erasure.erase(alice.hash)
    assert disk.free()
    assert CANARY not in on_disk(database_path)


def test_what_cannot_be_written_is_not_opened_for_reading(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    with monkeypatch.context() as disk:
        disk.setattr(os, "access", lambda path, mode: mode != os.W_OK)
        with pytest.raises(OperationalError, match="can't be written"):
            connection.ensure_connection()
    connection.ensure_connection()


def on_disk(path: Path) -> bytes:
    files = [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-journal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def test_a_reader_in_the_way_is_reported_and_the_next_sweep_frees(
    alice: Person, session: str, database_path: Path
) -> None:
    say(session, alice, noise=CANARY)
    reader = sqlite3.connect(database_path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM chat_item").fetchone()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    with later(901):
        assert not expiry.sweep().freed
    reader.close()
    assert expiry.sweep().freed
    assert CANARY not in on_disk(database_path)
    connection.close()


@pytest.mark.usefixtures("here")
async def test_on_a_full_disk_every_post_is_refused_for_a_while_and_nothing_is_half_done(
    alice: Person, session: str
) -> None:
    here = node.current()
    await here.writer.run(_vacuum)
    pages = await here.writer.run(_pragma, "max_page_count = 1")  # as it is now; no page more
    posts = [wire.Post(session, n, people.make_message(session, 0, n, size=4096)) for n in range(12)]
    async with sender(alice) as out:
        with structlog.testing.capture_logs() as lines:
            await out.send(*posts)
            errors = [await out.expect(wire.Error) for _ in posts]
            assert (errors[0].code, errors[0].retry_after) == ("unavailable", 1.0)
            # What was not in the first commit comes after a post that is not there.
            assert {each.code for each in errors} <= {"unavailable", "gap"}
            assert not any(each.permanent for each in errors)
            assert [each.n for each in errors] == list(range(12))
            assert len(await here.reader.after(session, 0, 99)) == 2, "the offer and the answer"
            await here.writer.run(_pragma, f"max_page_count = {pages + 1000}")
            await out.send(*posts)
            while (await out.expect(wire.Stored)).n < 11:
                pass
    assert [line["event"] for line in lines] == ["commit_failed", "commits_back"]


def _vacuum() -> None:
    """No page of the file is free."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")


def _pragma(text: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        return int(cursor.fetchone()[0])
