"""`python -m bench.server.population WHAT …`: people and items, written straight into the database.

pairs N            N open conversations of two new people each; prints [[session, token, token], …]
stock N            N items of 332 bytes, the least that a message has, 20 a session; nobody of them comes
fill SESSION N     N items of 1 KiB in one session, from its initiator
expire             makes the stock be over
sweep              sweeps; prints when it began and ended, on the monotonic clock
"""

import hashlib
import os
import secrets
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

import django
import msgspec

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "messenger.settings")
django.setup(set_prefix=False)

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import F, Model  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import b64u, identities, keys  # noqa: E402
from accounts.models import Identity, Token  # noqa: E402
from chat import expiry  # noqa: E402
from chat.models import Item, Kind, SealHalf, Session, State  # noqa: E402
from chat.tests.people import Person, make_answer, make_offer, raw, session_of  # noqa: E402

AT_ONCE = 500
STOCK_ITEMS, STOCK_PEOPLE = 20, 200
LEAST_BYTES, MESSAGE_BYTES = 60 + 256 + 16, 60 + 1024 + 16
#: By this the stock is known from those who talk.
STOCK_TTL_SECONDS = 3600

Couple = tuple[Person, Person]


def pairs(number: int) -> list[tuple[str, str, str]]:
    """See the module. It is what the server would have written (chat/sessions.py), many in a statement."""
    couples = [(_person(), _person()) for _ in range(number)]
    _meet([person for couple in couples for person in couple])
    offers = [make_offer(*couple) for couple in couples]
    opened = [session_of(offer) for offer in offers]
    _open(opened, couples, settings.TTL_SECONDS, 2)
    now = timezone.now()
    _write(
        Item(session_id=session, seq=1 + side, sender=side, kind=kind, body=body, created_at=now)
        for session, offer in zip(opened, offers, strict=True)
        for side, kind, body in ((0, Kind.OFFER, offer), (1, Kind.ANSWER, make_answer(session)))
    )
    return [(session, one.token, other.token) for session, (one, other) in zip(opened, couples, strict=True)]


def stock(items: int) -> None:
    """See the module."""
    couples = [(_person(), _person()) for _ in range(STOCK_PEOPLE // 2)]
    _meet([person for couple in couples for person in couple])
    ids = [b64u.encode(secrets.token_bytes(32)) for _ in range(items // STOCK_ITEMS)]
    for at in range(0, len(ids), AT_ONCE):
        part = ids[at : at + AT_ONCE]
        _open(part, [couples[each % len(couples)] for each in range(len(part))], STOCK_TTL_SECONDS, 0)
        fill(part, STOCK_ITEMS, LEAST_BYTES)
    if connection.vendor == "postgresql":  # what PostgreSQL would else do in the middle of a round
        with connection.cursor() as cursor:
            cursor.execute("VACUUM chat_session, chat_item, chat_sealhalf")
            cursor.execute("CHECKPOINT")


def fill(ids: Sequence[str], items: int, size: int) -> None:
    """So many messages of `size` bytes in each session, from its initiator."""
    marks = ",".join(["%s"] * len(ids))
    sql = (
        "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < %s - 1) "
        "INSERT INTO chat_item (session_id, seq, sender, kind, n, body, created_at) "
        "SELECT id, last_seq + i + 1, 0, 'message', i, %s, created_at FROM chat_session, c "
        f"WHERE id IN ({marks}) ORDER BY id, i"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [items, secrets.token_bytes(size), *ids])
        Session.objects.filter(id__in=ids).update(
            last_seq=F("last_seq") + items,
            next_n_initiator=items,
            stored_bytes=F("stored_bytes") + items * size,
        )


def expire() -> None:
    """See the module."""
    Session.objects.filter(ttl_seconds=STOCK_TTL_SECONDS).update(expires_at=F("created_at"))


def sweep() -> tuple[float, float]:
    """See the module."""
    began_at = time.monotonic()
    expiry.sweep()
    return began_at, time.monotonic()


def _person() -> Person:
    """A new one, logged in, known to nobody yet."""
    modulus = b"\xff" + secrets.token_bytes(382) + b"\x01"
    thumbprint = keys.thumbprint(modulus)
    token = b64u.encode(secrets.token_bytes(32))
    return Person("", b64u.encode(thumbprint), thumbprint, modulus, token)


def _meet(people: Sequence[Person]) -> None:
    now = timezone.now()
    seen = identities.to_minute(now)
    _write(
        Identity(hash=each.hash, modulus=each.modulus, created_at=now, last_seen_at=seen) for each in people
    )
    _write(
        Token(digest=hashlib.sha256(raw(each.token)).digest(), identity_id=each.hash, created_at=now)
        for each in people
    )


def _open(ids: Sequence[str], couples: Sequence[Couple], ttl_seconds: int, last_seq: int) -> None:
    now = timezone.now()
    _write(
        Session(
            id=session,
            initiator_id=one.hash,
            responder_id=other.hash,
            state=State.OPEN,
            ttl_seconds=ttl_seconds,
            last_seq=last_seq,
            created_at=now,
            last_activity_at=now,
            expires_at=now + timedelta(seconds=ttl_seconds),
        )
        for session, (one, other) in zip(ids, couples, strict=True)
    )
    _write(
        SealHalf(session_id=session, participant_id=each.hash, half=secrets.token_bytes(32), created_at=now)
        for session, couple in zip(ids, couples, strict=True)
        for each in couple
    )


def _write(rows: Iterable[Model]) -> None:
    """Each has the same model; many in a statement."""
    found = list(rows)
    if found:
        type(found[0])._default_manager.bulk_create(found, batch_size=AT_ONCE)


def main() -> None:
    what, *words = sys.argv[1:]
    answer: object = None
    match what:
        case "pairs":
            answer = pairs(int(words[0]))
        case "stock":
            stock(int(words[0]))
        case "fill":
            fill([words[0]], int(words[1]), MESSAGE_BYTES)
        case "expire":
            expire()
        case "sweep":
            answer = sweep()
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
