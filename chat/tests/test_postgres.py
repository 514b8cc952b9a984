"""The bytes of what is over leave PostgreSQL's directory: tables, indexes, statistics, write-ahead log.

Collected for PostgreSQL only. The cluster runs with the settings of docker-compose.yml, so that these are
what is tested.
"""

import contextlib
import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from django.conf import settings as current
from django.db import connection
from django.utils import timezone

from chat import disk, erasure, expiry, sessions, stats
from chat.models import Item, SealHalf, Session
from chat.tests import people
from chat.tests.people import Person
from chat.tests.test_expiry import later
from messenger import checks
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


def file_of(table: str) -> str:
    return ask(f"SELECT pg_relation_filenode('{table}')")


@pytest.fixture
def large(directory: Path, monkeypatch: pytest.MonkeyPatch, alice: Person, session: str) -> str:
    """A session in a file that is larger than what may be rewritten."""
    monkeypatch.setattr(current, "REWRITE_MIB", 1)
    Item.objects.bulk_create(
        Item(session_id=session, seq=n, sender=0, kind="message", n=n, body=body, created_at=timezone.now())
        for n, body in ((n, random.Random(n).randbytes(16384)) for n in range(100, 180))
    )
    return session


@pytest.mark.parametrize("how", ["whole", "smaller"])
def test_a_table_that_is_too_large_is_not_rewritten_and_that_is_told(
    large: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    Session.objects.filter(id=large).update(stored_bytes=2 << 20)
    before = file_of("chat_item")
    assert not disk.free()
    assert (stats.read()["large_tables"], file_of("chat_item")) == (1, before)
    if how == "smaller":
        monkeypatch.setattr(current, "REWRITE_MIB", 64)
    assert disk.free(whole=how == "whole")
    assert file_of("chat_item") != before


def test_after_a_rush_a_table_is_rewritten_for_the_little_that_lives_in_it(
    directory: Path, living: str, large: str
) -> None:
    mark = random.Random(100).randbytes(16384)[:1000]
    written_out()
    assert found(directory, [mark])
    Session.objects.filter(id=living).update(expires_at=timezone.now() + timedelta(hours=2))
    with later(901):
        assert expiry.sweep().freed
    assert found(directory, [mark]) == {}
    assert stats.read()["large_tables"] == 0


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


GRANTS = {
    "checkpoints": "GRANT pg_checkpoint TO modest",
    "the log": "GRANT EXECUTE ON FUNCTION pg_switch_wal() TO modest",
    "the tables": "GRANT CREATE ON SCHEMA public TO modest",
}


@contextlib.contextmanager
def modest_user(*rights: str) -> Iterator[None]:
    """Work as a user with these of the rights that docs/OPERATIONS.md names."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE modest")
        for right in rights:
            cursor.execute(GRANTS[right])
        cursor.execute("SELECT current_user")
        [owner] = cursor.fetchone()
        for table in connection.introspection.django_table_names():
            cursor.execute(f"GRANT SELECT ON {table} TO modest")
            if "the tables" in rights:
                cursor.execute(f"ALTER TABLE {table} OWNER TO modest")
        cursor.execute("SET ROLE modest")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute(f"REASSIGN OWNED BY modest TO {owner}")
            cursor.execute("DROP OWNED BY modest")
            cursor.execute("DROP ROLE modest")


@pytest.mark.parametrize(
    ("missing", "remedy"),
    [("checkpoints", "GRANT pg_checkpoint"), ("the log", "GRANT EXECUTE"), ("the tables", "ALTER TABLE")],
)
def test_without_a_right_no_bytes_are_said_to_be_freed_and_the_remedy_is_named(
    alice: Person, missing: str, remedy: str
) -> None:
    with modest_user(*GRANTS.keys() - {missing}):
        [warning] = checks.database_warnings(None, databases=["default"])
        assert not disk.free()
    assert warning.id == "quarter.W002"
    assert str(warning.hint).startswith(remedy)


def test_a_user_with_the_rights_that_operations_names_may_free_bytes(alice: Person) -> None:
    before = file_of("accounts_identity")
    with modest_user(*GRANTS):
        assert checks.database_warnings(None, databases=["default"]) == []
        assert disk.free()
    assert file_of("accounts_identity") != before


def test_the_rights_are_looked_at_by_whoever_asks_for_the_database_alone(alice: Person) -> None:
    with modest_user():
        assert checks.database_warnings(None) == []


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
