"""Counts and sizes of what the server holds; nothing about anyone."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Count, Min, Sum
from django.utils import timezone

from accounts.models import Identity
from chat import disk
from chat.models import Item, SealHalf, Session, State, Sweep


def read() -> dict[str, int | float | None]:
    """Counts by name; sizes in bytes, ages in seconds (None where there is nothing)."""
    states = dict(Session.objects.values_list("state").annotate(Count("id")))
    totals = Session.objects.aggregate(bytes=Sum("stored_bytes"), oldest=Min("created_at"))
    expired = Session.objects.filter(expires_at__lte=timezone.now()).count()
    return {
        "identities": Identity.objects.count(),
        "sessions_offered": states.get(State.OFFERED, 0),
        "sessions_open": states.get(State.OPEN, 0),
        "sessions_ended": states.get(State.ENDED, 0),
        "sessions_expired_unswept": expired,
        "items": Item.objects.count(),
        "seal_halves": SealHalf.objects.count(),
        "stored_bytes": totals["bytes"] or 0,
        "database_bytes": database_bytes(),
        "large_tables": disk.large_tables(),
        "oldest_session_seconds": _age(totals["oldest"]),
        "last_sweep_seconds": _age(Sweep.objects.values_list("swept_at", flat=True).first()),
    }


def database_bytes() -> int:
    """What the database takes on its disk; for SQLite the write-ahead log too."""
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        files = [Path(name), Path(f"{name}-wal")]
        return sum(file.stat().st_size for file in files if file.exists())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        row: tuple[Any, ...] = cursor.fetchone()
    return int(row[0])


def _age(moment: datetime | None) -> float | None:
    return None if moment is None else round((timezone.now() - moment).total_seconds(), 1)
