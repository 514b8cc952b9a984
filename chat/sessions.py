"""The life of a session: prepared, offered, answered, kept on, ended.

Each function is one transaction and one verb of the wire. Doing the same again changes nothing and is no
error.
Lock order everywhere: identities by hash, then sessions by id.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Identity
from chat import envelope, errors
from chat.models import HALF_BYTES, File, Item, Kind, Place, SealHalf, Session, Side, State, Why

HALVES_PER_IDENTITY = 64
# Unanswered offers of one guest to one owner: a single stranger must not take all places of those who ask.
OFFERS_PER_PAIR = 3
UNREAD = "unread"
# As long as a page waits at most before it asks again.
PAUSE_SECONDS = 60.0


class Change(msgspec.Struct, frozen=True):
    """What a verb did: whom to tell, and whether there is anything to tell. `why` is set when it ended."""

    session: str
    people: tuple[str, ...] = ()
    why: str | None = None

    @property
    def changed(self) -> bool:
        return bool(self.people)


class Route(msgspec.Struct, frozen=True):
    """Where volatile frames of one side go: the peer's hash. Good until `until` on the caller's clock."""

    peer: str
    side: int
    until: float


ROUTE_SECONDS = 10.0


def key_of(hash: str) -> bytes:
    """The RSA modulus of `hash`, 384 bytes; NotFound."""
    modulus = Identity.objects.filter(hash=hash).values_list("modulus", flat=True).first()
    if modulus is None:
        raise errors.NotFound
    return bytes(modulus)


def route(me: str, session: str, now: float) -> Route:
    """The peer of an open session of mine; Ended, NotOpen. `now` is any clock's seconds."""
    row = live().filter(mine(me), id=session).first()
    if row is None:
        raise errors.Ended
    if row.state != State.OPEN:
        raise errors.NotOpen
    side = Side.INITIATOR if row.initiator_id == me else Side.RESPONDER
    left = (row.expires_at - timezone.now()).total_seconds()
    return Route(_people(row)[1 - side], side.value, now + min(left, ROUTE_SECONDS))


@transaction.atomic
def prepare(me: str, session: str) -> bytes:
    """My seal half of a session that is about to be offered or answered; made at the first call."""
    _lock_identities([me], needed=me)
    if Session.objects.filter(mine(me), id=session, state=State.ENDED).exists():
        raise errors.Ended
    halves = SealHalf.objects.filter(participant_id=me)
    if not halves.filter(session_id=session).exists() and halves.count() >= HALVES_PER_IDENTITY:
        raise errors.Full(PAUSE_SECONDS)
    _make_halves(session, [me])
    return bytes(halves.values_list("half", flat=True).get(session_id=session))


@transaction.atomic
def offer(me: str, body: bytes) -> Change:
    """Begin the session whose id is the hash of `body`. The offer must name me, with my key, as initiator."""
    fields = envelope.parse_offer(body)
    if fields.initiator != me:
        raise errors.NotYours
    keys = _lock_identities([me, fields.responder], needed=me)
    if keys[me] != fields.modulus:
        raise errors.BadEnvelope
    if fields.responder not in keys:
        raise errors.NotFound
    known = Session.objects.filter(id=fields.session).first()
    if known is not None:
        return _offered_before(known)
    _check_room(fields)
    return _begin(fields, body)


@transaction.atomic
def answer(me: str, session: str, body: bytes) -> Change:
    """Open a session that was offered to me."""
    if envelope.parse_answer(body).session != session:
        raise errors.BadEnvelope
    _lock_identities([me], needed=me)
    row = _lock_mine(me, session)
    if row.responder_id != me:
        raise errors.NotYours
    if row.state == State.OPEN:
        return _answered_before(row, body)
    _check_fewer(_open_sessions(me), settings.LIMITS.sessions)
    row.state = State.OPEN
    _append(row, Side.RESPONDER, Kind.ANSWER, body)
    return Change(session, _people(row))


@transaction.atomic
def decline(me: str, session: str, why: str) -> Change:
    """End a session that was offered to me, while I have said nothing in it; `why` is declined or used.

    An owner who answered several offers under one link turns the others away so, once one has said hello.
    An offer that is left `unread` goes on to its time, and its sender sees nothing (PROTOCOL §5): only its
    place is free for others.
    """
    row = _lock_any(me, session)
    if row is None or row.state == State.ENDED:
        return Change(session)
    if row.responder_id != me:
        raise errors.NotYours
    if row.next_n_responder > 0:
        raise errors.Conflict
    if why != UNREAD:
        return end(row, Why(why))
    row.place = ""
    row.save(update_fields=["place"])
    return Change(session)


@transaction.atomic
def keep(me: str, session: str, ttl: int) -> Change:
    """Let the session go on, `ttl` seconds from now and from each later activity."""
    if not settings.TTL_MIN_SECONDS <= ttl <= settings.TTL_MAX_SECONDS:
        raise errors.BadFrame
    row = _lock_mine(me, session)
    if row.state != State.OPEN:
        raise errors.NotOpen
    row.ttl_seconds = ttl
    _touch(row)
    row.save()
    return Change(session, _people(row))


@transaction.atomic
def leave(me: str, session: str) -> Change:
    """End a session for both; one that is unknown or over is no error."""
    row = _lock_any(me, session)
    if row is None or row.state == State.ENDED:
        return Change(session)
    return end(row, Why.LEFT)


def end(row: Session, why: Why) -> Change:
    """Make a bare tombstone of a locked session: no items, no files, no halves. Its own expiry stays."""
    empty([row.id])
    row.state, row.ended_why, row.place = State.ENDED, why, ""
    row.save(update_fields=["state", "ended_why", "place"])
    return Change(row.id, _people(row), why)


def empty(ids: Iterable[str]) -> None:
    """Delete all that hangs on these sessions, halves included."""
    ids = list(ids)
    File.objects.filter(session__in=ids).delete()
    Item.objects.filter(session__in=ids).delete()
    SealHalf.objects.filter(session_id__in=ids).delete()


def expiry_of(ttl_seconds: int, created_at: datetime, now: datetime) -> datetime:
    """When a session ends that was active now: after its ttl, and in any case 24 h after its beginning."""
    hard_end = created_at + timedelta(seconds=settings.TTL_MAX_SECONDS)
    return min(now + timedelta(seconds=ttl_seconds), hard_end)


def mine(me: str) -> Q:
    """The sessions that I am one side of."""
    return Q(initiator=me) | Q(responder=me)


def live() -> QuerySet[Session]:
    """Sessions that are neither ended nor past their time, swept or not."""
    return Session.objects.exclude(state=State.ENDED).filter(expires_at__gt=timezone.now())


# --- under the lock ---------------------------------------------------------------------------------


def _lock_identities(hashes: list[str], needed: str) -> dict[str, bytes]:
    """Lock those of `hashes` that exist, in one order; NotLoggedIn where `needed` doesn't."""
    rows = Identity.objects.select_for_update().filter(hash__in=hashes).order_by("hash")
    keys = {row.hash: bytes(row.modulus) for row in rows}
    if needed not in keys:
        raise errors.NotLoggedIn
    return keys


def _lock_any(me: str, session: str) -> Session | None:
    """My session, locked, tombstones too; None where there is none or its time is over."""
    row = Session.objects.select_for_update().filter(mine(me), id=session).first()
    return row if row is not None and row.expires_at > timezone.now() else None


def _lock_mine(me: str, session: str) -> Session:
    row = _lock_any(me, session)
    if row is None or row.state == State.ENDED:
        raise errors.Ended
    return row


def _people(row: Session) -> tuple[str, str]:
    return row.initiator_id, row.responder_id


def _offered_before(row: Session) -> Change:
    """The same id is the same offer, as the id is its hash."""
    if row.state == State.ENDED or row.expires_at <= timezone.now():
        raise errors.Ended
    return Change(row.id)


def _answered_before(row: Session, body: bytes) -> Change:
    stored = Item.objects.values_list("body", flat=True).get(session=row, seq=2)
    if bytes(stored) != body:
        raise errors.Conflict
    return Change(row.id)


def _open_sessions(me: str) -> QuerySet[Session]:
    """What counts against my limit: what I began, and what I answered."""
    return live().filter(Q(initiator=me) | Q(responder=me, state=State.OPEN))


def _place(fields: envelope.Offer) -> Place:
    return Place.LINK if fields.invited else Place.REQUEST


def _check_room(fields: envelope.Offer) -> None:
    """Those with a link and those without have places of their own (docs/decisions/7-places.md)."""
    waiting = live().filter(responder=fields.responder, state=State.OFFERED)
    _check_fewer(_open_sessions(fields.initiator), settings.LIMITS.sessions)
    _check_fewer(waiting.filter(place=_place(fields)), settings.LIMITS.requests)
    _check_fewer(waiting.filter(initiator=fields.initiator), OFFERS_PER_PAIR)


def _check_fewer(those: QuerySet[Session], most: int) -> None:
    """Full where there are `most`: until the first of them is over, or for PAUSE_SECONDS."""
    ends = those.order_by("expires_at").values_list("expires_at", flat=True)
    if len(ends) >= most:
        left = (ends[0] - timezone.now()).total_seconds()
        raise errors.Full(max(1.0, min(left, PAUSE_SECONDS)))


def _begin(fields: envelope.Offer, body: bytes) -> Change:
    now = timezone.now()
    row = Session.objects.create(
        id=fields.session,
        initiator_id=fields.initiator,
        responder_id=fields.responder,
        place=_place(fields),
        ttl_seconds=settings.TTL_SECONDS,
        created_at=now,
        last_activity_at=now,
        expires_at=expiry_of(settings.TTL_SECONDS, now, now),
    )
    _make_halves(row.id, _people(row))
    _append(row, Side.INITIATOR, Kind.OFFER, body)
    return Change(row.id, _people(row))


def _append(row: Session, sender: Side, kind: Kind, body: bytes) -> None:
    """Store an offer or an answer as the next item, and count it as activity."""
    row.last_seq += 1
    row.stored_bytes += len(body)
    _touch(row)
    row.save()
    Item.objects.create(
        session=row, seq=row.last_seq, sender=sender, kind=kind, body=body, created_at=row.last_activity_at
    )


def _touch(row: Session) -> None:
    row.last_activity_at = timezone.now()
    row.expires_at = expiry_of(row.ttl_seconds, row.created_at, row.last_activity_at)


def _make_halves(session: str, participants: Iterable[str]) -> None:
    """Make those halves that are missing; the others are young again, so that no sweep takes them."""
    now = timezone.now()
    SealHalf.objects.bulk_create(
        [
            SealHalf(
                session_id=session, participant_id=each, half=secrets.token_bytes(HALF_BYTES), created_at=now
            )
            for each in participants
        ],
        update_conflicts=True,
        unique_fields=["session_id", "participant"],
        update_fields=["created_at"],
    )
