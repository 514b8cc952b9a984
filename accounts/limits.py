"""How often one client address may try to log in, and how many new users may come from it.

Counted in this process's memory, per minute, under blinded addresses (messenger.addresses).
"""

import time

import limits
from django.conf import settings
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from accounts.errors import TooFast
from messenger import addresses

_storage = MemoryStorage()
_window = FixedWindowRateLimiter(_storage)


def spend_login(address: str) -> None:
    """Count a login attempt of this address; TooFast where there were too many this minute."""
    _spend(settings.LIMITS.logins_per_minute, "login", address)


def spend_new_identity(address: str) -> None:
    """Count a new user from this address; TooFast where there were too many this minute."""
    _spend(settings.LIMITS.identities_per_minute, "identity", address)


def reset() -> None:
    """Forget all counts."""
    _storage.reset()


def _spend(per_minute: int, what: str, address: str) -> None:
    limit = limits.RateLimitItemPerMinute(per_minute)
    key = addresses.blind(address).hex()
    if not _window.hit(limit, what, key):
        resets_at = _window.get_window_stats(limit, what, key).reset_time
        raise TooFast(retry_after=max(1.0, round(resets_at - time.time(), 1)))
