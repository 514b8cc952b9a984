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

_clean_at: int | None = None


def free(force: bool = True) -> bool:
    """Take deleted bytes off the disk. False if someone was in the way or it is not allowed: try again.

    Without `force` nothing is done where nothing has changed since the last time. Never inside a transaction.
    """
    if connection.in_atomic_block:
        return False
    try:
        with connection.cursor() as cursor:
            return _truncate_log(cursor) if connection.vendor == "sqlite" else _rewrite(cursor, force)
    except DatabaseError as error:
        log.warning("bytes_not_freed", error=type(error).__name__)
        return False


def _truncate_log(cursor: CursorWrapper) -> bool:
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    busy = cursor.fetchone()[0]
    return not busy


def _rewrite(cursor: CursorWrapper, force: bool) -> bool:
    """Tables above the setting are vacuumed only: to rewrite them would hold everybody up. False then."""
    global _clean_at
    changes = _changes(cursor)
    if changes == _clean_at and not force:
        return True
    cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{LOCK_MS}ms"])
    large = 0
    try:
        for table in TABLES:
            cursor.execute("SELECT pg_total_relation_size(%s) <= %s", [table, settings.REWRITE_MIB << 20])
            is_small = cursor.fetchone()[0]
            large += not is_small
            cursor.execute(f"VACUUM ({'FULL' if is_small else 'SKIP_LOCKED'}) {table}")
    finally:
        cursor.execute("SELECT set_config('lock_timeout', '0', false)")
    cursor.execute("SELECT pg_switch_wal()")
    cursor.execute("CHECKPOINT")
    if large:
        log.warning("bytes_not_freed", large_tables=large)
        return False
    _clean_at = changes
    return True


def _changes(cursor: CursorWrapper) -> int:
    """How many rows of the tables were ever written or deleted; PostgreSQL knows it a few seconds later."""
    cursor.execute(
        "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname = ANY(%s)",
        [list(TABLES)],
    )
    return int(cursor.fetchone()[0] or 0)
