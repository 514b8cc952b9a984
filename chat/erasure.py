"""Erasing a user takes both sides' sessions along, whoever decides it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q
from django.dispatch import receiver

from accounts import identities
from chat import announce, sessions
from chat.models import File, Item, Kind, Session, State, Why


class Erased(msgspec.Struct, frozen=True):
    """What went, and which sessions of which peers (hash → ids) went with it."""

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
    rows = Session.objects.select_for_update().filter(_of(hashes)).order_by("id")
    endings = [
        (user, row.id, Why.ERASED.value)
        for row in rows
        if row.state != State.ENDED
        for user in (row.initiator_id, row.responder_id)
    ]
    ids = [row.id for row in rows]
    counts = {
        "sessions": len({session for _, session, _ in endings}),
        "messages": Item.objects.filter(session__in=ids, kind=Kind.MESSAGE).count(),
        "files": File.objects.filter(session__in=ids).count(),
    }
    sessions.empty(ids)
    Session.objects.filter(id__in=ids).delete()
    transaction.on_commit(lambda: announce.ended(endings))
    return counts


def _of(hashes: Sequence[str]) -> Q:
    return Q(initiator__in=hashes) | Q(responder__in=hashes)


def _live_of(hashes: Sequence[str]) -> Any:
    return sessions.live().filter(_of(hashes))
