"""How often one client address did something in this minute, or something was done in one name.

Counted in this process's memory, under blinded addresses and names (messenger.addresses).
"""

import time

import limits
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from messenger import addresses

_storage = MemoryStorage()
_window = FixedWindowRateLimiter(_storage)


def spend(what: str, per_minute: int, who: str) -> float | None:
    """Count one `what` of this address or name; the seconds to wait where there were too many, else None."""
    limit = limits.RateLimitItemPerMinute(per_minute)
    key = addresses.blind(who).hex()
    if _window.hit(limit, what, key):
        return None
    resets_at = _window.get_window_stats(limit, what, key).reset_time
    return max(1.0, round(resets_at - time.time(), 1))


def reset() -> None:
    """Forget all counts."""
    _storage.reset()
