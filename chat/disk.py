"""How the bytes of deleted rows leave the disk.

A DELETE hides them. What is left of them then, measured (docs/DELETION.md):

- SQLite overwrites them in the file (`secure_delete`), and keeps them in its write-ahead log until that is
  truncated.
- PostgreSQL keeps them in the table's file: a VACUUM frees their space and overwrites nothing. VACUUM FULL
  writes the living rows into a new file and removes the old one. The write-ahead log keeps them too, until
  its current file is closed (`pg_switch_wal`) and a CHECKPOINT makes it superfluous; with `wal_recycle=off`
  it is removed then, else renamed and used again.
"""

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.utils import CursorWrapper

from chat.models import State

log = structlog.get_logger("quarter.chat")

TABLES = (
    "chat_item",
    "chat_filechunk",
    "chat_file",
    "chat_sealhalf",
    "chat_session",
    "accounts_challenge",
    "accounts_token",
    "accounts_identity",
)
#: A rewrite waits so long for its lock; whoever comes meanwhile waits behind it.
LOCK_MS = 1000
#: How much larger a file may be than what lives in it: to read past the dead costs a tenth of copying them.
DEAD_TIMES = 16
#: The bytes that live in chat_item; beside its body a row takes some 256, with what the indexes have of it.
LIVING = "SELECT coalesce(sum(stored_bytes + 256 * last_seq), 0) FROM chat_session WHERE state <> %s"

_clean_at: int | None = None


def free(force: bool = True, whole: bool = False) -> bool:
    """Take deleted bytes off the disk. False if someone was in the way or it is not allowed: try again.

    Without `force` nothing is done where nothing has changed since the last time; with `whole` tables are
    rewritten whatever their size. Never inside a transaction.
    """
    if connection.in_atomic_block:
        return False
    try:
        with connection.cursor() as cursor:
            return _truncate_log(cursor) if connection.vendor == "sqlite" else _rewrite(cursor, force, whole)
    except DatabaseError as error:
        log.warning("bytes_not_freed", error=type(error.__cause__ or error).__name__)
        return False


def large_tables() -> int:
    """How many tables are too large to be rewritten by a sweep: what is deleted in them stays for a while."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        return sum(_is_large(cursor, table) for table in TABLES)


def _truncate_log(cursor: CursorWrapper) -> bool:
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    busy = cursor.fetchone()[0]
    return not busy


def _rewrite(cursor: CursorWrapper, force: bool, whole: bool) -> bool:
    """Large tables are vacuumed only: to rewrite them would hold everybody up. False then."""
    global _clean_at
    changes = _changes(cursor)
    if changes == _clean_at and not (force or whole):
        return True
    cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{LOCK_MS}ms"])
    large = not_ours = 0
    try:
        for table in TABLES:
            if not whole and _is_large(cursor, table):
                large += 1
                cursor.execute(f"VACUUM (SKIP_LOCKED) {table}")
            else:
                not_ours += not _rewrite_table(cursor, table)
    finally:
        cursor.execute("SELECT set_config('lock_timeout', '0', false)")
    cursor.execute("SELECT pg_switch_wal()")
    cursor.execute("CHECKPOINT")
    if large or not_ours:
        log.warning("bytes_not_freed", large_tables=large, not_ours=not_ours)
        return False
    _clean_at = changes
    return True


def _rewrite_table(cursor: CursorWrapper, table: str) -> bool:
    """Whether it was: VACUUM passes over a table that is another user's, with a notice that nobody reads."""
    before = _ask(cursor, "SELECT pg_relation_filenode(%s)", table)
    cursor.execute(f"VACUUM (FULL) {table}")
    return _ask(cursor, "SELECT pg_relation_filenode(%s)", table) != before


def _is_large(cursor: CursorWrapper, table: str) -> bool:
    """By what lives in it where that is known: after a rush its file is large for long."""
    most, size = settings.REWRITE_MIB << 20, _ask(cursor, "SELECT pg_total_relation_size(%s)", table)
    if table == "chat_item" and most < size <= DEAD_TIMES * most:
        size = _ask(cursor, LIVING, State.ENDED)
    return size > most


def _ask(cursor: CursorWrapper, query: str, value: str) -> int:
    cursor.execute(query, [value])
    return int(cursor.fetchone()[0])


def _changes(cursor: CursorWrapper) -> int:
    """How many rows of the tables were ever written or deleted; PostgreSQL knows it a few seconds later."""
    cursor.execute(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname = ANY(%s)",
        [list(TABLES)],
    )
    return int(cursor.fetchone()[0] or 0)
