"""Forgetting: what is over is deleted, and its bytes are freed.

Expired is expired at read time; the sweep frees the bytes. `sweep` is one function for Celery's beat, for the
server itself when beat is dead, for `manage.py sweep` and for the admin. It may run twice at once: each batch
is a transaction that skips rows which somebody else has locked, and looks at their time under the lock.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import monotonic

import msgspec
import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from accounts import identities, login
from chat import announce, disk, sessions
from chat.models import Item, SealHalf, Session, State, Sweep, Why

log = structlog.get_logger("quarter.chat")

BATCH = 50
ITEM_BATCH = 500
IDENTITY_BATCH = 20
OVERDUE_SWEEPS = 2


class Swept(msgspec.Struct, frozen=True):
    """What a sweep deleted, and whether the bytes are gone from the disk too (False: next time)."""

    sessions: int
    halves: int
    challenges: int
    identities: int
    freed: bool
    seconds: float


def sweep(whole: bool = False) -> Swept:
    """Delete all that is over, then free the bytes (disk.free has `whole`). Never inside a transaction."""
    began_at = monotonic()
    items = _in_batches(delete_expired_items)
    sessions_ended = _in_batches(end_expired)
    halves = _in_batches(delete_orphans)
    challenges = login.forget_expired(timezone.now())
    idle = _in_batches(_erase_idle)
    freed = disk.free(any((items, sessions_ended, halves, challenges, idle)), whole)
    Sweep.objects.update_or_create(id=1, defaults={"swept_at": timezone.now()})
    swept = Swept(sessions_ended, halves, challenges, idle, freed, round(monotonic() - began_at, 3))
    log.info("swept", **msgspec.structs.asdict(swept))
    return swept


def is_overdue() -> bool:
    """Whether nobody has swept for two intervals. Of several processes that ask, one is told so."""
    now = timezone.now()
    stale = now - timedelta(seconds=OVERDUE_SWEEPS * settings.SWEEP_SECONDS)
    _, is_first = Sweep.objects.get_or_create(id=1, defaults={"swept_at": now})
    return not is_first and bool(Sweep.objects.filter(swept_at__lt=stale).update(swept_at=now))


@transaction.atomic
def delete_expired_items() -> int:
    """Delete one batch of items that can't be read any more; short transactions, for the sake of others."""
    has_items = Exists(Item.objects.filter(session=OuterRef("id")))
    over = [row.id for row in _lock(_over().filter(has_items))]
    # What lost items must not be kept on by a process whose clock is behind: over for every clock.
    Session.objects.filter(id__in=over).update(expires_at=F("created_at"))
    ids = list(Item.objects.filter(session__in=over).values_list("id", flat=True)[:ITEM_BATCH])
    return Item.objects.filter(id__in=ids).delete()[0]


@transaction.atomic
def end_expired() -> int:
    """Delete one batch of sessions whose time is over, tombstones too, and tell live pages."""
    return _delete(_lock(_over()), Why.EXPIRED)


@transaction.atomic
def remove(ids: Sequence[str], why: Why) -> int:
    """Delete these sessions and all that hangs on them; how many. Live pages are told after COMMIT."""
    return _delete(list(Session.objects.select_for_update().filter(id__in=ids).order_by("id")), why)


def _over() -> QuerySet[Session]:
    return Session.objects.filter(expires_at__lte=timezone.now()).order_by("id")


def _lock(over: QuerySet[Session]) -> list[Session]:
    """One batch of these, locked: what is being written to may be kept on by that, and is left alone."""
    can_skip = connection.features.has_select_for_update_skip_locked
    return list(over.select_for_update(skip_locked=can_skip)[:BATCH])


def _delete(rows: Sequence[Session], why: Why) -> int:
    found = [row.id for row in rows]
    sessions.empty(found)
    Session.objects.filter(id__in=found).delete()
    live = [row for row in rows if row.state != State.ENDED]
    endings = [(user, row.id, why.value) for row in live for user in (row.initiator_id, row.responder_id)]
    transaction.on_commit(lambda: announce.ended(endings))
    return len(found)


@transaction.atomic
def delete_orphans() -> int:
    """Delete one batch of seal halves whose session never came, or went without them."""
    stale = timezone.now() - timedelta(seconds=settings.TTL_SECONDS)
    session = Session.objects.filter(id=OuterRef("session_id"))
    orphans = SealHalf.objects.filter(~Exists(session), created_at__lte=stale)
    ids = list(orphans.values_list("id", flat=True)[: 10 * BATCH])
    return orphans.filter(id__in=ids).delete()[0]  # asked again: an offer may have come for one of them


def _erase_idle() -> int:
    gone = identities.erase_idle(timezone.now(), settings.IDENTITY_IDLE_SECONDS, IDENTITY_BATCH)
    return gone.users


def _in_batches(batch: Callable[[], int]) -> int:
    total = 0
    while done := batch():
        total += done
    return total
