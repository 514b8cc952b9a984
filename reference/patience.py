"""Fetching again, with growing pauses, for half a minute (PROTOCOL §6). Pure; monotonic seconds."""

import msgspec

PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)
PATIENCE_SECONDS = 30.0


class Patience(msgspec.Struct, frozen=True):
    """Something should have come: since when it is waited for, how often it was fetched, and when next."""

    reason: str
    since: float
    next_at: float
    fetched: int = 0

    def is_over(self, now: float) -> bool:
        """Whether to give up, for `reason`."""
        return now >= self.since + PATIENCE_SECONDS

    def again(self, now: float) -> "Patience":
        """After one more fetch."""
        fetched = self.fetched + 1
        pause = PAUSES[min(fetched, len(PAUSES) - 1)]
        return Patience(self.reason, self.since, min(now + pause, self.since + PATIENCE_SECONDS), fetched)


def begin(reason: str, now: float) -> Patience:
    """The first fetch is due at once."""
    return Patience(reason, now, now)
