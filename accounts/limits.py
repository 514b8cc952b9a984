"""How often one client address may try to log in, and how many new users may come from it."""

from django.conf import settings

from accounts.errors import TooFast
from messenger import rates


def spend_login(address: str) -> None:
    """Count a login that this address begins; TooFast where there were too many this minute."""
    _spend("login", settings.LIMITS.logins_per_minute, address)


def spend_answer(address: str) -> None:
    """Count an answer to a challenge, as `spend_login`: also a wrong one writes to the database."""
    _spend("answer", settings.LIMITS.logins_per_minute, address)


def spend_new_identity(address: str) -> None:
    """Count a new user from this address; TooFast where there were too many this minute."""
    _spend("identity", settings.LIMITS.identities_per_minute, address)


def _spend(what: str, per_minute: int, address: str) -> None:
    seconds = rates.spend(what, per_minute, address)
    if seconds is not None:
        raise TooFast(seconds)
