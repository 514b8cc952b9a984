"""What the server asks the database all day: each is one trip for all of its rows.

Django has no words for two of them, and they are what the server does all day: `executemany` gives up
Python's lock for every row on SQLite, and sends a statement for every row on PostgreSQL (docs/decisions/9).
So they are written in SQL, for both databases. `lock`, `insert` and `update` must run inside of
`transaction.atomic`; what they raise is Django's DatabaseError.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from django.db import connection


class Locked(NamedTuple):
    """A session's row that nobody else changes until COMMIT."""

    id: str
    initiator: str
    responder: str
    state: str
    ttl_seconds: int
    created_at: datetime
    expires_at: datetime
    last_seq: int
    next_n_initiator: int
    next_n_responder: int
    stored_bytes: int


class Placed(NamedTuple):
    """A message at its place."""

    session: str
    seq: int
    sender: int
    n: int
    body: bytes


class Moved(NamedTuple):
    """How a session stands after its batch."""

    id: str
    last_seq: int
    next_n_initiator: int
    next_n_responder: int
    stored_bytes: int
    expires_at: datetime


class Mine(NamedTuple):
    """A session as one of its two sees it; `half` is that one's (PROTOCOL §9), None where there is none."""

    id: str
    initiator: str
    responder: str
    state: str
    ended_why: str
    ttl_seconds: int
    expires_at: datetime
    last_seq: int
    next_n_initiator: int
    next_n_responder: int
    half: bytes | None


_SELECT = (
    "SELECT id, initiator_id, responder_id, state, ttl_seconds, created_at, expires_at, last_seq,"
    " next_n_initiator, next_n_responder, stored_bytes FROM chat_session WHERE id "
)
_COLUMNS = "(session_id, seq, sender, n, body, kind, created_at) "
_INSERT = f"INSERT INTO chat_item {_COLUMNS}"
# What fails ends the transaction: SQLite need not keep what was there before each row.
_INSERT_OR_FAIL = f"INSERT OR FAIL INTO chat_item {_COLUMNS}"
_VALUES = (
    "SELECT *, 'message', %b::timestamptz"
    " FROM unnest(%b::text[], %b::int[], %b::smallint[], %b::bigint[], %b::bytea[])"
)
_READ = "SELECT session_id, seq, kind, sender, body FROM "
_WANTED = "unnest(%b::text[], %b::int[], %b::int[]) AS wanted (column1, column2, column3) "
_OF_THESE = (
    "JOIN chat_session ON chat_session.id = wanted.column1 AND expires_at > {} "
    "JOIN chat_item ON session_id = wanted.column1 AND seq > wanted.column2 AND seq <= wanted.column3 "
    "ORDER BY session_id, seq"
)
_MINE = (
    "SELECT chat_session.id, initiator_id, responder_id, state, ended_why, ttl_seconds, expires_at, last_seq,"
    " next_n_initiator, next_n_responder, half FROM chat_session"
    " LEFT JOIN chat_sealhalf ON session_id = chat_session.id AND participant_id = {0}"
    " WHERE (initiator_id = {0} OR responder_id = {0}) AND expires_at > {0}"
)
_IN_ORDER = " ORDER BY chat_session.created_at, chat_session.id"
_UPDATE = (
    "UPDATE chat_session SET last_seq = moved.column2, next_n_initiator = moved.column3,"
    " next_n_responder = moved.column4, stored_bytes = moved.column5, expires_at = moved.column6,"
    " last_activity_at = "
)


def lock(ids: Iterable[str]) -> list[Locked]:
    """The rows of these sessions, as far as there are any, locked in the order of their ids."""
    names = sorted(ids)
    if connection.vendor == "sqlite":  # the transaction has the whole file
        rows = _sqlite(f"{_SELECT} IN ({_marks(len(names))})", names)
        return [Locked._make((*row[:5], _utc(row[5]), _utc(row[6]), *row[7:])) for row in rows]
    return [Locked._make(row) for row in _postgres(f"{_SELECT} = ANY(%s) ORDER BY id FOR UPDATE", [names])]


def insert(rows: Sequence[Placed], now: datetime) -> None:
    """Store these messages. IntegrityError where one of the places is taken."""
    if connection.vendor == "sqlite":
        values = ",".join(["(?,?,?,?,?,'message',?)"] * len(rows))
        stamp = _stamp(now)
        _sqlite(f"{_INSERT_OR_FAIL} VALUES {values}", [value for row in rows for value in (*row, stamp)])
    else:
        _postgres(_INSERT + _VALUES, [now, *_columns(rows)])


def update(rows: Sequence[Moved], now: datetime) -> None:
    """Bring these sessions to where they stand."""
    if connection.vendor == "sqlite":
        values = ",".join(["(?,?,?,?,?,?)"] * len(rows))
        parameters = [value for row in rows for value in (*row[:5], _stamp(row.expires_at))]
        where = f"? FROM (VALUES {values}) AS moved WHERE id = moved.column1"
        _sqlite(_UPDATE + where, [_stamp(now), *parameters])
    else:
        arrays = "%b::text[], %b::int[], %b::int[], %b::int[], %b::bigint[], %b::timestamptz[]"
        names = "column1, column2, column3, column4, column5, column6"
        where = f"%b FROM unnest({arrays}) AS moved ({names}) WHERE id = moved.column1"
        _postgres(_UPDATE + where, [now, *_columns(rows)])


def read(wanted: Sequence[tuple[str, int, int]], now: datetime) -> list[tuple[str, int, str, int, bytes]]:
    """(session, seq, kind, sender, body) of so many items after a seq, for each (session, seq, limit).

    Those of a session whose time is over are left out. As seq has no gaps, a limit is a seq too.
    """
    through = [(session, seq, seq + limit) for session, seq, limit in wanted]
    if connection.vendor == "sqlite":
        values = ",".join(["(?,?,?)"] * len(wanted))
        statement = _READ + f"(VALUES {values}) AS wanted " + _OF_THESE.format("?")
        return _sqlite(statement, [*(value for row in through for value in row), _stamp(now)])
    return _postgres(_READ + _WANTED + _OF_THESE.format("%b"), [*_columns(through), now])


def sessions_of(me: str, only: Sequence[str] | None, now: datetime) -> list[Mine]:
    """Sessions of this identity whose time is not over; of these ids, if any are given."""
    if connection.vendor == "sqlite":
        some = "" if only is None else f" AND chat_session.id IN ({_marks(len(only))})"
        rows = _sqlite(_MINE.format("?") + some + _IN_ORDER, [me, me, me, _stamp(now), *(only or ())])
        return [Mine._make((*row[:6], _utc(row[6]), *row[7:])) for row in rows]
    some = "" if only is None else " AND chat_session.id = ANY(%s)"
    parameters = [me, me, me, now] if only is None else [me, me, me, now, list(only)]
    return [Mine._make(row) for row in _postgres(_MINE.format("%s") + some + _IN_ORDER, parameters)]


def _sqlite(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Django's cursor would look through the statement for its `%s`, which takes longer than running it."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return list(connection.connection.execute(statement, parameters))


def _postgres(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Django's cursor would write the parameters into the statement; this one sends them beside it."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _marks(number: int) -> str:
    return ",".join("?" * number)


def _stamp(moment: datetime) -> str:
    """As Django writes it into SQLite."""
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def _utc(moment: datetime) -> datetime:
    """As it was before Django wrote it into SQLite."""
    return moment.replace(tzinfo=UTC)
