"""Whether a history is one that the promises allow (docs/DESIGN.md §6). Pure.

- R1: every message that was acknowledged was seen; every message was seen once at most, in its sender's
  order, with the bytes that were said. After quiet nothing is left in doubt.
- R3: what is in the database is what was said, at places without gaps.
- R4: when a broken part is back, what waited flows again within 5 s (p99).
- Every line that a part logged above INFO is explained by a fault that struck.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from soak.history import Event, History, Struck

RECOVERY_SECONDS = 5.0
RECOVERED_SHARE = 0.99
#: What is said so soon after a fault belongs to it too: the people may not be connected again. The next fault
#: is later.
SOON_SECONDS = 2.5
BUG = "our_bug"
PLAIN_LEVELS = r"\[(?:debug|info) *\]"
#: What a stack says without anything being wrong.
EXPECTED_LINES = (
    r"^\s*$",
    r"^  (valkey|migrate|server-\d|worker|beat) ",
    r"^ready ",
    # As docs/DELETION.md says: so much was said that a table is too large to be rewritten.
    r"bytes_not_freed +(large_tables=|error=LockNotAvailable)",
    r"^worker: (Warm|Hitting|Cold)",
)

Stream = tuple[str, int]


@dataclass(frozen=True)
class Row:
    """An item as the database has it; without a digest where it is really sealed."""

    conversation: str
    seq: int
    sender: int
    n: int | None
    digest: str | None


def broken_promises(history: History, rows: Sequence[Row]) -> list[str]:
    """A sentence for each thing that must not be."""
    said, acknowledged, seen = (_streams(history.events, what) for what in ("invoked", "ok", "seen"))
    found = list(history.wrongs)
    for stream in said.keys() | seen.keys():
        found += _compare(stream, said[stream], acknowledged[stream], seen[stream])
    return found + _compare_rows(said, rows)


def recoveries(history: History) -> dict[str, list[float]]:
    """fault → for each conversation that waited when it was over, the seconds until nothing waited any more.

    A fault may begin while the last one's messages still wait: they count for both.
    """
    seen = {(event.conversation, event.sender, event.n): event.at for event in _only(history.events, "seen")}
    found: dict[str, list[float]] = defaultdict(list)
    for struck in history.struck:
        for waited in _waited(history.events, seen, struck).values():
            found[struck.fault].append(waited)
    return dict(found)


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that this share of them does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def unexplained(lines: Iterable[str], excuses: Iterable[str]) -> list[str]:
    """The lines that neither their level nor a fault explains. A bug is explained by nothing."""
    known = re.compile("|".join([PLAIN_LEVELS, *EXPECTED_LINES, *excuses]))
    return [line for line in lines if BUG in line or not known.search(line)]


def _only(events: Iterable[Event], what: str) -> list[Event]:
    return [event for event in events if event.what == what]


def _streams(events: Iterable[Event], what: str) -> dict[Stream, list[Event]]:
    found: dict[Stream, list[Event]] = defaultdict(list)
    for event in _only(events, what):
        found[event.conversation, event.sender].append(event)
    return found


def _compare(stream: Stream, said: list[Event], acknowledged: list[Event], seen: list[Event]) -> list[str]:
    wanted = {event.n: event.digest for event in said}
    sure, shown = {event.n for event in acknowledged}, [event.n for event in seen]
    checks = {
        "shown twice": [n for n, count in Counter(shown).items() if count > 1],
        "shown out of order": [after for before, after in pairwise(shown) if after < before],
        "shown with other bytes than were said": [
            event.n for event in seen if wanted.get(event.n) != event.digest
        ],
        "acknowledged and lost": sorted(sure - set(shown)),
        "still in doubt after quiet": sorted(wanted.keys() - sure),
    }
    return [f"{stream[0]}, side {stream[1]}: {what}: {ns}" for what, ns in checks.items() if ns]


def _compare_rows(said: dict[Stream, list[Event]], rows: Sequence[Row]) -> list[str]:
    found = []
    places: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        places[row.conversation].append(row.seq)
    for conversation, seqs in places.items():
        if sorted(seqs) != list(range(1, len(seqs) + 1)):
            found.append(f"{conversation}: the places in the database have gaps or repeats")
    messages = [row for row in rows if row.n is not None]
    stored = {(row.conversation, row.sender, row.n): row.digest for row in messages}
    if len(stored) < len(messages):
        found.append("the database has a message twice")
    known = {(*stream, event.n) for stream, events in said.items() for event in events}
    if unsaid := [key for key, named in stored.items() if named is not None and key not in known]:
        found.append(f"the database has what nobody said: {unsaid}")
    for stream, events in said.items():
        if stream[0] not in places:
            found.append(f"{stream[0]}: nothing is in the database")
            continue
        wrong = [
            event.n for event in events if stored.get((*stream, event.n), "") not in (None, event.digest)
        ]
        if wrong:
            found.append(f"{stream[0]}, side {stream[1]}: the database has other bytes or none: {wrong}")
    return found


def _waited(
    events: Iterable[Event], seen: dict[tuple[str, int, int], float], struck: Struck
) -> dict[str, float]:
    """conversation → how long what was said until soon after the end of the fault was on its way."""
    found: dict[str, float] = {}
    for event in _only(events, "invoked"):
        at = seen.get((event.conversation, event.sender, event.n), float("inf"))
        if event.at <= struck.back + SOON_SECONDS and at > struck.back:
            seconds = at - max(event.at, struck.back)
            found[event.conversation] = max(found.get(event.conversation, 0.0), seconds)
    return found
