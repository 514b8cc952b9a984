"""The bytes of what is over leave PostgreSQL's directory: tables, indexes, statistics, write-ahead log.

Collected for PostgreSQL only. The cluster runs with the settings of docker-compose.yml, so that these are
what is tested.
"""

import contextlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from django.conf import settings as current
from django.db import connection
from django.utils import timezone

from chat import disk, erasure, expiry, sessions
from chat.models import Item, SealHalf, Session
from chat.tests import people
from chat.tests.people import Person
from chat.tests.test_expiry import later, say
from messenger.tests import services

SIZES = (256, 2048, 16384)


@pytest.fixture
def directory(transactional_db: None) -> Path:
    return Path(ask("SHOW data_directory"))


@pytest.fixture
def living(bob: Person, mallory: Person) -> str:
    """A conversation of others whose rows lie among those that go."""
    return people.open_session(mallory, bob)


def talk(session: str, who: Person, noise: bytes) -> None:
    """Short and long bodies, in the row and out of it."""
    for n, size in enumerate(SIZES * 5):
        body = people.make_message(session, 0, n, size=size, noise=noise)
        Item.objects.create(
            session_id=session,
            seq=100 + n,
            sender=0,
            kind="message",
            n=n,
            body=body,
            created_at=timezone.now(),
        )


def ask(query: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return str(cursor.fetchone()[0])


def found(directory: Path, marks: Iterable[bytes]) -> dict[str, list[bytes]]:
    """file → which of the marks are in it."""
    files = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    each = {
        str(path.relative_to(directory)): [mark for mark in marks if mark in data]
        for path, data in files.items()
    }
    return {name: marks for name, marks in each.items() if marks}


def written_out() -> None:
    """All that is in memory is in the files too, PostgreSQL's knowledge of the values included."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("CHECKPOINT")


def marks_of(session: str, noise: bytes) -> list[bytes]:
    """What is only there because of this conversation."""
    halves = [bytes(row.half) for row in SealHalf.objects.filter(session_id=session)]
    return [noise, session.encode(), *halves]


def test_what_expired_is_in_no_file_of_the_cluster(
    directory: Path, living: str, alice: Person, session: str
) -> None:
    talk(living, alice, b"what the living say")
    talk(session, alice, b"canary in the ciphertext")
    for who in (alice.hash, Session.objects.get(id=session).responder_id):
        sessions.prepare(who, session)
    talk_marks = marks_of(session, b"canary in the ciphertext")
    assert len(talk_marks) == 4
    written_out()
    assert sorted({mark for marks in found(directory, talk_marks).values() for mark in marks}) == sorted(
        talk_marks
    )
    Session.objects.filter(id=living).update(expires_at=timezone.now() + timedelta(hours=2))
    with later(901):
        assert expiry.sweep().freed
    assert found(directory, talk_marks) == {}
    assert Item.objects.filter(session=living).count() == len(SIZES) * 5 + 2


def test_who_was_erased_is_in_no_file_of_the_cluster(
    directory: Path, living: str, alice: Person, session: str
) -> None:
    talk(session, alice, b"canary in the ciphertext")
    marks = [*marks_of(session, b"canary in the ciphertext"), alice.hash.encode(), alice.modulus]
    written_out()
    assert found(directory, marks)
    erasure.erase(alice.hash)
    assert disk.free()
    assert found(directory, marks) == {}


def test_a_table_that_is_too_large_is_not_rewritten_but_vacuumed_and_that_is_told(
    alice: Person, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(session, alice)
    before = ask("SELECT pg_relation_filenode('chat_item')")
    monkeypatch.setattr(current, "REWRITE_MIB", 0)
    assert not disk.free()
    assert ask("SELECT pg_relation_filenode('chat_item')") == before
    monkeypatch.setattr(current, "REWRITE_MIB", 1024)
    assert disk.free()
    assert ask("SELECT pg_relation_filenode('chat_item')") != before


def test_a_sweep_that_finds_nothing_new_rewrites_nothing(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_changes", lambda cursor: 7)
    assert disk.free()
    before = ask("SELECT pg_relation_filenode('chat_item')")
    assert expiry.sweep().freed
    assert ask("SELECT pg_relation_filenode('chat_item')") == before
    monkeypatch.setattr(disk, "_changes", lambda cursor: 8)
    assert expiry.sweep().freed
    assert ask("SELECT pg_relation_filenode('chat_item')") != before


def test_a_user_who_may_not_make_checkpoints_is_told_of_and_nothing_fails(alice: Person) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE soft")
        cursor.execute("SET ROLE soft")
        try:
            assert not disk.free()
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE soft")


def test_a_user_with_the_rights_that_operations_names_may_free_bytes(alice: Person) -> None:
    """docs/OPERATIONS.md; the tables are the user's own there, as it made them."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE modest")
        cursor.execute("GRANT pg_checkpoint TO modest")
        cursor.execute("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO modest")
        cursor.execute("GRANT CREATE ON SCHEMA public TO modest")
        cursor.execute("SELECT current_user")
        [owner] = cursor.fetchone()
        for table in disk.TABLES:
            cursor.execute(f"ALTER TABLE {table} OWNER TO modest")
        before = ask("SELECT pg_relation_filenode('accounts_identity')")
        cursor.execute("SET ROLE modest")
        try:
            assert disk.free()
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute(f"REASSIGN OWNED BY modest TO {owner}")
            cursor.execute("DROP OWNED BY modest")
            cursor.execute("DROP ROLE modest")
    assert ask("SELECT pg_relation_filenode('accounts_identity')") != before


MARK = "kQ7hFJ2mNqWx"
TABLE = "CREATE TABLE held (hash text UNIQUE, n int CHECK (n > 0))"
FIRST = f"INSERT INTO held VALUES ('{MARK}', 1)"
#: Each would be in the log in its own way: as detail, as context, as parameter, as message, as statement.
FAILING = {
    "a second row of one key": ("INSERT INTO held VALUES (%s, 2)", [MARK]),
    "a row against a check": ("INSERT INTO held VALUES (%s, -1)", [f"{MARK} 2"]),
    "a value that is no number": ("SELECT %s::text::int", [MARK]),
    "a value in a function": (f"DO $$ BEGIN PERFORM '{MARK}'::int; END $$", None),
    "no such table": (f"SELECT '{MARK}' FROM nowhere", None),
    "no sentence at all": (f"SELECT 1 {MARK} {MARK}", None),
}


def test_what_postgresql_refuses_leaves_no_value_and_no_statement_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with services.postgres(log) as url, _session(url) as session:
        session.execute(TABLE)
        session.execute(FIRST)
        _all_fail(session)
        assert MARK not in log.read_text()
        assert "ready to accept connections" in log.read_text(), "this is the log"
        session.execute("SET log_min_messages = error")
        session.execute("SET log_error_verbosity = verbose")
        _all_fail(session)
        assert MARK in log.read_text(), "without those settings it would be there"


def _session(url: str) -> psycopg.Connection:
    host = unquote(urlsplit(url).path.split("/")[1])
    return psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True)


def _all_fail(session: psycopg.Connection) -> None:
    for what, (statement, values) in FAILING.items():
        with contextlib.suppress(psycopg.Error):
            session.execute(statement, values)
            pytest.fail(what)
