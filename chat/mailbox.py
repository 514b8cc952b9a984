"""The stored stream of each session: posted to in batches, read after a cursor.

`post_batch` is the only way in. Many senders' messages become one transaction, and each has its own answer: a
bad one never spoils its neighbours.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Identity
from chat import errors, sessions, statements, wire
from chat.models import Item, State


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


class Wanted(NamedTuple):
    """At most `limit` items of a session after the one with seq `cursor`."""

    session: str
    cursor: int
    limit: int


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
    """A locked session while a batch is placed in it."""

    def __init__(self, row: statements.Locked) -> None:
        self.row = row
        self.people = (row.initiator, row.responder)
        self.last_seq, self.stored_bytes = row.last_seq, row.stored_bytes
        self.next_n = [row.next_n_initiator, row.next_n_responder]

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

    def place(self, post: Post, now: datetime) -> int:
        """Give `post` its seq; Full at the session's limits, for as long as it lives: it gets no emptier."""
        limits, size = settings.LIMITS, len(post.body)
        if self.last_seq >= limits.session_items or self.stored_bytes + size > limits.session_bytes:
            raise errors.Full((self.row.expires_at - now).total_seconds())
        self.last_seq += 1
        self.stored_bytes += size
        self.next_n[post.side] += 1
        return self.last_seq

    def moved(self, now: datetime) -> statements.Moved | None:
        """How the session stands now, if anything was placed in it."""
        row = self.row
        if self.last_seq == row.last_seq:
            return None
        expires_at = sessions.expiry_of(row.ttl_seconds, row.created_at, now)
        return statements.Moved(
            row.id, self.last_seq, self.next_n[0], self.next_n[1], self.stored_bytes, expires_at
        )


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
    ledgers = {row.id: _Ledger(row) for row in statements.lock({post.session for post in posts})}
    now = timezone.now()  # under the lock: what ran out while this waited for it is over
    results: list[Result] = []
    placed: list[statements.Placed] = []
    repeats: list[int] = []
    for index, post in enumerate(posts):
        try:
            stored = _place(ledgers.get(post.session), post, now)
        except errors.ChatError as error:
            results.append(error)
            continue
        results.append(stored)
        if stored.seq is None:
            repeats.append(index)
        else:
            placed.append(statements.Placed(post.session, stored.seq, post.side, post.n, post.body))
    if placed:
        moved = [after for each in ledgers.values() if (after := each.moved(now))]
        statements.insert(placed, now)
        statements.update(moved, now)
    _compare(posts, repeats, results)
    return results


def _place(ledger: _Ledger | None, post: Post, now: datetime) -> Stored:
    if ledger is None:
        raise errors.Ended
    ledger.check(post, now)
    peer = ledger.people[1 - post.side]
    return Stored(peer, None if ledger.is_repeat(post) else ledger.place(post, now))


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


def read_after(wanted: Sequence[Wanted]) -> dict[str, list[Row]]:
    """The items of each wanted session that is not over, in order; no session may be wanted twice."""
    found: dict[str, list[Row]] = {}
    for session, seq, kind, sender, body in statements.read(wanted, timezone.now()):
        found.setdefault(session, []).append(Row(seq, kind, sender, body))
    return found


def look(me: str, only: Sequence[str] | None = None) -> View:
    """My sessions as they stand now: all of them, or those of the ids in `only`."""
    now = timezone.now()
    found = statements.sessions_of(me, only, now)
    return View(
        tuple(_info(me, row, now) for row in found if row.state != State.ENDED and row.half is not None),
        {row.id: row.ended_why for row in found if row.state == State.ENDED},
        bool(found) or Identity.objects.filter(hash=me).exists(),
    )


def _info(me: str, row: statements.Mine, now: datetime) -> wire.SessionInfo:
    is_initiator = row.initiator == me
    return wire.SessionInfo(
        id=row.id,
        role=0 if is_initiator else 1,
        peer=row.responder if is_initiator else row.initiator,
        state="open" if row.state == State.OPEN else "offered",
        ttl=row.ttl_seconds,
        left=(row.expires_at - now).total_seconds(),
        last_seq=row.last_seq,
        next_n=row.next_n_initiator if is_initiator else row.next_n_responder,
        half=bytes(row.half or b""),
    )
