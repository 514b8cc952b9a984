"""How much one user, one socket and one address may ask for. In memory only, for this process."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from django.conf import settings

from messenger import addresses

BUCKETS_KEPT = 10_000
# Frames of all kinds of one user: far above what an honest page sends, far below what costs others time.
FRAMES_BURST, FRAMES_PER_SECOND = 100, 20
# Frames that are never refused (`taken`: a page that reads all again sends thousands), but read no faster.
PACED_BURST, PACED_PER_SECOND = 2000, 200
# Resyncs that name sessions: a window is written again for each. A page asks after 0.5, 1, 2, 4 … s for each
# of its conversations.
AGAIN_BURST, AGAIN_PER_SECOND = 20, 2


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
    """Sockets that are open at once from one client address, counted under its blinded name.

    The blind is renewed every hour, so sockets that were opened before it count no more.
    """

    def __init__(self) -> None:
        self._taken: Counter[bytes] = Counter()

    @contextmanager
    def seat(self, address: str) -> Iterator[bool]:
        """Sit down for the time of the block; False where all seats of this address are taken."""
        name = addresses.blind(address)
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
