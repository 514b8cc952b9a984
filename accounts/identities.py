"""The life of an identity: met, seen, erased.

`erase` is the one way to delete a user. The apps that keep things for users count and prepare in a receiver
of `erasing`, within the same transaction; the rows themselves go by cascade.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal

from accounts import b64u, keys
from accounts.models import HASH_CHARS, Identity

# Sent with hashes: Sequence[str], inside the transaction and before the rows go. A receiver returns counts
# by name (Mapping[str, int]) of what will go with these users, and does what must follow in
# transaction.on_commit.
erasing = Signal()


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: users, and rows of what else, by name ("sessions", "messages", "files")."""

    users: int
    counts: Mapping[str, int]


def meet(modulus: bytes, now: datetime) -> str:
    """The hash of the user with this (checked) key; creates the row, or touches it."""
    user_hash = b64u.encode(keys.thumbprint(modulus))
    first = {"modulus": modulus, "created_at": now, "last_seen_at": to_minute(now)}
    _, is_new = Identity.objects.get_or_create(hash=user_hash, defaults=first)
    if not is_new:
        touch(user_hash, now)
    return user_hash


def is_known(modulus: bytes) -> bool:
    """Whether the user with this (checked) key has been here before."""
    return exists(b64u.encode(keys.thumbprint(modulus)))


def touch(user_hash: str, now: datetime) -> None:
    """Note that the user is here. Writes at most once a minute, and the minute only."""
    minute = to_minute(now)
    if Identity.objects.filter(pk=user_hash, last_seen_at__lt=minute).exists():
        Identity.objects.filter(pk=user_hash, last_seen_at__lt=minute).update(last_seen_at=minute)


def modulus_of(user_hash: str) -> bytes | None:
    """The 384-byte modulus of a user, or None."""
    found = Identity.objects.filter(pk=user_hash).values_list("modulus", flat=True).first()
    return None if found is None else bytes(found)


def find(idle_since: datetime | None = None) -> list[str]:
    """The hashes of all users, or of those who were not seen since then; longest idle first."""
    idle = Q() if idle_since is None else Q(last_seen_at__lt=to_minute(idle_since))
    return list(Identity.objects.filter(idle).order_by("last_seen_at").values_list("hash", flat=True))


def exists(user_hash: str) -> bool:
    """Whether there is a user of this hash."""
    return len(user_hash) == HASH_CHARS and Identity.objects.filter(pk=user_hash).exists()


def erase(*hashes: str) -> Erased:
    """Delete these users and all that hangs on them, in one transaction.

    Who is unknown counts for nothing.
    """
    with transaction.atomic():
        found = sorted(
            Identity.objects.select_for_update()
            .filter(pk__in=hashes)
            .order_by("hash")
            .values_list("hash", flat=True)
        )
        counts = _counts_of(found) if found else {}
        Identity.objects.filter(pk__in=found).delete()
    return Erased(len(found), counts)


def erase_idle(now: datetime, idle_seconds: int, at_most: int = 100) -> Erased:
    """Delete users who were not seen for `idle_seconds`, `at_most` of them in one call."""
    idle = Identity.objects.filter(last_seen_at__lt=to_minute(now - timedelta(seconds=idle_seconds)))
    with transaction.atomic():  # looked at under the lock: who comes back meanwhile stays
        rows = idle.select_for_update().order_by("hash").values_list("hash", flat=True)
        return erase(*rows[:at_most])


def to_minute(moment: datetime) -> datetime:
    """`moment` without its seconds."""
    return moment.replace(second=0, microsecond=0)


def _counts_of(hashes: Sequence[str]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for _, counts in erasing.send(sender=Identity, hashes=hashes):
        total.update(counts)
    return dict(total)
