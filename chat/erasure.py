"""Erasing a user takes both sides' sessions along, whoever decides it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver
from django.utils import timezone

from accounts import identities
from chat import announce, sessions
from chat.models import File, Session, State, Why

#: A page says bye before it erases, and waits less than a second for that to be stored. A peer who leaves on
#: it leaves a tombstone, which this erasure ended all the same: so it counts for this long after the bye.
BYE_SECONDS = 2.0


class Erased(msgspec.Struct, frozen=True):
    """What went, and which live sessions of which peers (hash → ids) went with it."""

    sessions: int
    messages: int
    files: int
    peers: Mapping[str, Sequence[str]]


@transaction.atomic
def erase(me: str) -> Erased:
    """Delete the identity `me` and all that hangs on it. An identity that is gone is no error."""
    peers: dict[str, list[str]] = {}
    for session, initiator, responder in _live_of([me]).values_list("id", "initiator", "responder"):
        peers.setdefault(responder if initiator == me else initiator, []).append(session)
    counts = identities.erase(me).counts
    return Erased(counts.get("sessions", 0), counts.get("messages", 0), counts.get("files", 0), peers)


@receiver(identities.erasing)
def take_sessions_along(hashes: Sequence[str], **kwargs: Any) -> Mapping[str, int]:
    """Delete the sessions of users who are being erased, in the order in which all lock them; counts by name.

    Both sides' seal halves go too: they have no foreign key to their session.
    """
    rows = list(Session.objects.select_for_update().filter(_of(hashes)).order_by("id"))
    now = timezone.now()
    live = [row for row in rows if row.state != State.ENDED and row.expires_at > now]
    counted = live + [row for row in rows if _was_just_left(row, now)]
    ids = [row.id for row in rows]
    counts = {
        "sessions": len(counted),
        "messages": sum(map(_messages_of, counted)),
        "files": File.objects.filter(session__in=ids).count(),
    }
    sessions.empty(ids)
    Session.objects.filter(id__in=ids).delete()
    endings = [
        (user, row.id, Why.ERASED.value) for row in live for user in (row.initiator_id, row.responder_id)
    ]
    transaction.on_commit(lambda: announce.ended(endings))
    return counts


def _was_just_left(row: Session, now: datetime) -> bool:
    since = now - timedelta(seconds=BYE_SECONDS)
    return row.ended_why == Why.LEFT and row.last_activity_at >= since and _messages_of(row) > 0


def _messages_of(row: Session) -> int:
    return row.next_n_initiator + row.next_n_responder


def _of(hashes: Sequence[str]) -> Q:
    return Q(initiator__in=hashes) | Q(responder__in=hashes)


def _live_of(hashes: Sequence[str]) -> Any:
    return sessions.live().filter(_of(hashes))
