"""The stored stream of each session: posted to in batches, read after a cursor.

`post_batch` is the only way in. Many senders' messages become one transaction, and each has its own answer: a
bad one never spoils its neighbours.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Identity
from chat import errors, sessions, wire
from chat.models import Item, Kind, SealHalf, Session, Side, State

_INSERT = (
    "INSERT INTO chat_item (session_id, seq, sender, kind, n, body, created_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_UPDATE = (
    "UPDATE chat_session SET last_seq = %s, next_n_initiator = %s, next_n_responder = %s, stored_bytes = %s,"
    " last_activity_at = %s, expires_at = %s WHERE id = %s"
)


class IdentityGone(Exception):
    """The user whose sessions were to be read was erased."""


class Post(msgspec.Struct, frozen=True):
    """A message to store: who sends it (hash, and the side its header names), its n, its bytes."""

    session: str
    sender: str
    side: int
    n: int
    body: bytes


class Stored(msgspec.Struct, frozen=True):
    """A message that is on disk; `seq` is None where it had been stored before. `to` is the peer's hash."""

    to: str
    seq: int | None = None


class Row(msgspec.Struct, frozen=True):
    """One stored item, as a drain reads it."""

    seq: int
    kind: str
    sender: int
    body: bytes


class View(msgspec.Struct, frozen=True):
    """What an identity may know of its sessions: the live ones, and why others ended (id → why).

    `known` is False where the identity itself is gone.
    """

    sessions: tuple[wire.SessionInfo, ...]
    ended: dict[str, str]
    known: bool


Result = Stored | errors.ChatError


class _Ledger:
    """A locked session row while a batch is placed in it."""

    def __init__(self, row: Session) -> None:
        self.row = row
        self.people = (row.initiator_id, row.responder_id)
        self.next_n = [row.next_n_initiator, row.next_n_responder]
        self.moved = False

    def check(self, post: Post, now: datetime) -> None:
        """Raise what forbids `post`, if anything does."""
        row = self.row
        if post.sender not in self.people or row.state == State.ENDED or row.expires_at <= now:
            raise errors.Ended
        if self.people[post.side] != post.sender:
            raise errors.BadEnvelope
        if row.state != State.OPEN:
            raise errors.NotOpen
        if post.n > self.next_n[post.side]:
            raise errors.Gap

    def is_repeat(self, post: Post) -> bool:
        return post.n < self.next_n[post.side]

    def place(self, post: Post) -> int:
        """Give `post` its seq; Full at the session's limits."""
        row, limits = self.row, settings.LIMITS
        if row.last_seq >= limits.session_items or row.stored_bytes + len(post.body) > limits.session_bytes:
            raise errors.Full
        row.last_seq += 1
        row.stored_bytes += len(post.body)
        self.next_n[post.side] += 1
        self.moved = True
        return row.last_seq


def post_batch(posts: Sequence[Post]) -> list[Result]:
    """Store what can be stored, in one transaction, and answer each post in its place.

    The same n with the same bytes is stored again without a change; with other bytes it is a Conflict; an n
    above the next is a Gap. Raises DatabaseError only where nothing of the batch was stored.
    """
    try:
        return _commit(posts)
    except (IntegrityError, DataError):
        if len(posts) == 1:
            raise
        return [_post_alone(post) for post in posts]


def _post_alone(post: Post) -> Result:
    try:
        return _commit([post])[0]
    except DatabaseError:
        return errors.Unavailable()


@transaction.atomic
def _commit(posts: Sequence[Post]) -> list[Result]:
    ledgers = _lock({post.session for post in posts})
    now = timezone.now()  # under the lock: what ran out while this waited for it is over
    results: list[Result] = []
    placed: list[tuple[Post, int]] = []
    repeats: list[int] = []
    for index, post in enumerate(posts):
        try:
            results.append(_place(ledgers.get(post.session), post, now))
        except errors.ChatError as error:
            results.append(error)
            continue
        seq = results[-1].seq if isinstance(results[-1], Stored) else None
        if seq is None:
            repeats.append(index)
        else:
            placed.append((post, seq))
    _write(placed, [ledger for ledger in ledgers.values() if ledger.moved], now)
    _compare(posts, repeats, results)
    return results


def _lock(ids: set[str]) -> dict[str, _Ledger]:
    rows = Session.objects.select_for_update().filter(id__in=ids).order_by("id")
    return {row.id: _Ledger(row) for row in rows}


def _place(ledger: _Ledger | None, post: Post, now: datetime) -> Stored:
    if ledger is None:
        raise errors.Ended
    ledger.check(post, now)
    peer = ledger.people[1 - post.side]
    return Stored(peer, None if ledger.is_repeat(post) else ledger.place(post))


def _write(placed: list[tuple[Post, int]], moved: list[_Ledger], now: datetime) -> None:
    if not placed:
        return
    stamp = connection.ops.adapt_datetimefield_value
    at = stamp(now)
    items = [
        (post.session, seq, post.side, Kind.MESSAGE.value, post.n, post.body, at) for post, seq in placed
    ]
    rows = [
        (
            each.row.last_seq,
            *each.next_n,
            each.row.stored_bytes,
            at,
            stamp(sessions.expiry_of(each.row.ttl_seconds, each.row.created_at, now)),
            each.row.id,
        )
        for each in moved
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, items)
        cursor.executemany(_UPDATE, rows)


def _compare(posts: Sequence[Post], repeats: list[int], results: list[Result]) -> None:
    """Turn repeats whose bytes differ from the stored ones into conflicts."""
    if not repeats:
        return
    wanted = Q()
    for index in repeats:
        post = posts[index]
        wanted |= Q(session=post.session, sender=post.side, n=post.n)
    rows = Item.objects.filter(wanted).values_list("session", "sender", "n", "body")
    stored = {(session, sender, n): bytes(body) for session, sender, n, body in rows}
    for index in repeats:
        post = posts[index]
        if stored.get((post.session, post.side, post.n)) != post.body:
            results[index] = errors.Conflict()


def read_after(session: str, cursor: int, limit: int) -> list[Row]:
    """At most `limit` items of a session that is not over, after the one with seq `cursor`, in order."""
    rows = (
        Item.objects.filter(session=session, session__expires_at__gt=timezone.now(), seq__gt=cursor)
        .order_by("seq")
        .values_list("seq", "kind", "sender", "body")[:limit]
    )
    return [Row(seq, kind, sender, bytes(body)) for seq, kind, sender, body in rows]


def look(me: str, only: Sequence[str] | None = None) -> View:
    """My sessions as they stand now: all of them, or those of the ids in `only`."""
    now = timezone.now()
    rows = Session.objects.filter(sessions.mine(me), expires_at__gt=now).order_by("created_at", "id")
    if only is not None:
        rows = rows.filter(id__in=only)
    found = list(rows)
    halves = _halves(me, [row.id for row in found if row.state != State.ENDED])
    return View(
        tuple(_info(me, row, halves[row.id], now) for row in found if row.id in halves),
        {row.id: row.ended_why for row in found if row.state == State.ENDED},
        bool(found) or Identity.objects.filter(hash=me).exists(),
    )


def _halves(me: str, ids: list[str]) -> dict[str, bytes]:
    rows = SealHalf.objects.filter(participant=me, session_id__in=ids) if ids else SealHalf.objects.none()
    return {row.session_id: bytes(row.half) for row in rows}


def _info(me: str, row: Session, half: bytes, now: datetime) -> wire.SessionInfo:
    role = Side.INITIATOR if row.initiator_id == me else Side.RESPONDER
    return wire.SessionInfo(
        id=row.id,
        role=0 if role == Side.INITIATOR else 1,
        peer=row.responder_id if role == Side.INITIATOR else row.initiator_id,
        state="open" if row.state == State.OPEN else "offered",
        ttl=row.ttl_seconds,
        left=(row.expires_at - now).total_seconds(),
        last_seq=row.last_seq,
        next_n=row.next_n_initiator if role == Side.INITIATOR else row.next_n_responder,
        half=half,
    )
