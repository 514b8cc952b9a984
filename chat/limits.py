"""How much one user, one socket and one address may ask for. In memory only, for this process.

Client addresses are never kept: a socket is counted under HMAC(random key, address), and the key is drawn
anew every hour.
"""

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from django.conf import settings

KEY_SECONDS = 3600
BUCKETS_KEPT = 10_000
# Frames of all kinds on one socket: far above what an honest page sends, far below what costs others time.
FRAMES_BURST, FRAMES_PER_SECOND = 400, 100


class Bucket:
    """A token bucket: `burst` at once, `per_second` of them come back each second."""

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float] = monotonic) -> None:
        self._burst, self._per_second, self._clock = burst, per_second, clock
        self._left, self._at = burst, clock()

    def take(self) -> float | None:
        """Take one; None if there was one, else the seconds until there is."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._per_second
        self._left -= 1
        return None


class Buckets:
    """One bucket for each user, so that a new socket doesn't come with a full one."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst, self._per_second = burst, per_second
        self._buckets: dict[str, Bucket] = {}

    def take(self, user: str) -> float | None:
        """As Bucket.take."""
        bucket = self._buckets.pop(user, None) or Bucket(self._burst, self._per_second)
        self._buckets[user] = bucket  # the youngest is last
        if len(self._buckets) > BUCKETS_KEPT:
            del self._buckets[next(iter(self._buckets))]
        return bucket.take()


class Seats:
    """Sockets that are open at once from one client address."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._taken: Counter[bytes] = Counter()
        self._key, self._drawn_at = secrets.token_bytes(32), clock()

    @contextmanager
    def seat(self, address: str) -> Iterator[bool]:
        """Sit down for the time of the block; False where all seats of this address are taken."""
        name = self._name(address)
        if self._taken[name] >= settings.LIMITS.sockets_per_address:
            yield False
            return
        self._taken[name] += 1
        try:
            yield True
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]

    def _name(self, address: str) -> bytes:
        if self._clock() - self._drawn_at > KEY_SECONDS:
            self._key, self._drawn_at = secrets.token_bytes(32), self._clock()
        return hmac.digest(self._key, address.encode(), hashlib.sha256)


def address_of(scope: dict[str, Any]) -> str:
    """The client's address: the socket's own, or the one that the outermost trusted proxy saw."""
    hops = [part.strip() for part in _header(scope, b"x-forwarded-for").split(",")]
    if 0 < settings.PROXY_COUNT <= len(hops):
        return hops[-settings.PROXY_COUNT]
    client = scope.get("client")
    return str(client[0]) if client else "local"


def origin_is_allowed(scope: dict[str, Any]) -> bool:
    """Whether the handshake came from a page of ours: the Origin must be one of the allowed ones, exactly."""
    return _header(scope, b"origin") in settings.ALLOWED_ORIGINS


def _header(scope: dict[str, Any], name: bytes) -> str:
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ",".join(values)
