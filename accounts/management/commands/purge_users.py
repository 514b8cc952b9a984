"""`manage.py purge_users`: erase users and all that hangs on them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from accounts import identities
from messenger.commands import PurgeCommand


class Command(PurgeCommand):
    help = "Erase users: their keys, tokens, conversations, messages and files."
    noun = "user"
    plural = "users"
    key_help = "the hash of one user (43 characters)"

    def find(self, key: str | None, idle_for: timedelta | None) -> Sequence[str]:
        if key is not None:
            return [key] if identities.exists(key) else []
        return identities.find(None if idle_for is None else datetime.now(UTC) - idle_for)

    def delete(self, keys: Sequence[str]) -> Mapping[str, int]:
        erased = identities.erase(*keys)
        return {"users": erased.users, **erased.counts}
