"""Messages on their way to the server: the same bytes again until it says `stored` (DESIGN §5). Pure.

Posts go out in order, a few at a time. Where one is refused for now, nothing is posted until the others that
were under way are answered and the server's time to come back has passed; then all begins again at the first
that is not stored: with that one alone, and one more for each answer, as a server that refuses many hangs up.
"""

from collections.abc import Mapping

import msgspec

WINDOW = 16


class Outbox(msgspec.Struct, frozen=True):
    """`waiting`: n → bytes. Of these, `under_way` were posted on the connection that is there now."""

    waiting: Mapping[int, bytes] = {}
    under_way: frozenset[int] = frozenset()
    held_until: float | None = None
    most: int = WINDOW

    @property
    def first(self) -> int | None:
        """The lowest n that is not stored."""
        return min(self.waiting, default=None)


def added(outbox: Outbox, n: int, body: bytes) -> Outbox:
    """With one more message."""
    return msgspec.structs.replace(outbox, waiting={**outbox.waiting, n: body})


def posted(outbox: Outbox, now: float) -> tuple[Outbox, list[int]]:
    """What is to be posted at this moment of the monotonic clock: the n's, in order."""
    if outbox.held_until is not None:
        if outbox.under_way or now < outbox.held_until:
            return outbox, []
        outbox = msgspec.structs.replace(outbox, held_until=None)
    window = sorted(outbox.waiting)[: outbox.most]
    posts = [n for n in window if n not in outbox.under_way]
    return msgspec.structs.replace(outbox, under_way=outbox.under_way.union(posts)), posts


def stored(outbox: Outbox, n: int) -> tuple[Outbox, list[int]]:
    """All up to n are on the server's disk: which of them had been waiting."""
    gone = [each for each in sorted(outbox.waiting) if each <= n]
    waiting = {each: body for each, body in outbox.waiting.items() if each > n}
    under_way, most = outbox.under_way.difference(gone), min(outbox.most + 1, WINDOW)
    return msgspec.structs.replace(outbox, waiting=waiting, under_way=under_way, most=most), gone


def refused(outbox: Outbox, n: int, come_back_at: float) -> Outbox:
    """The server does not take n now."""
    until = max(come_back_at, outbox.held_until or 0.0)
    return msgspec.structs.replace(outbox, under_way=outbox.under_way - {n}, held_until=until, most=1)


def offline(outbox: Outbox) -> Outbox:
    """The connection is gone: what was under way is in doubt."""
    return Outbox(outbox.waiting)
