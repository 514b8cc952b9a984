"""What was asked for and what came of it: one line for each step of an operation, in the order of time."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

#: invoked: a person said it. ok: the server says that it is on its disk. failed: refused for good; it will
#: never be shown. seen: the other person's page shows it. An operation without ok and failed is unknown.
What = Literal["invoked", "ok", "failed", "seen"]


@dataclass(frozen=True)
class Event:
    """One step; `at` is of the monotonic clock, `digest` names the bytes."""

    at: float
    what: What
    conversation: str
    sender: int
    n: int
    digest: str


@dataclass(frozen=True)
class Struck:
    """One fault: when it began, and when the broken part was back."""

    fault: str
    at: float
    back: float


def digest(body: bytes) -> str:
    """16 characters that name these bytes."""
    return hashlib.sha256(body).hexdigest()[:16]


class History:
    """The events of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.counted: Counter[What] = Counter()
        self.struck: list[Struck] = []
        #: What a person's page noticed that must never be: bytes that differ, a repeated place.
        self.wrongs: list[str] = []
        #: Posts that were refused for a while, by their code; and stored ones that were posted again.
        self.refusals: Counter[str] = Counter()
        self.again = 0
        #: With what code the connections ended that were once open.
        self.closes: Counter[int] = Counter()

    def note(self, what: What, conversation: str, sender: int, n: int, named: str) -> None:
        """One step of an operation, now."""
        self.counted[what] += 1
        self.events.append(Event(time.monotonic(), what, conversation, sender, n, named))

    def write(self, path: Path) -> None:
        """Everything as JSON lines, for whoever looks into a failure."""
        lines: Iterable[object] = [*map(asdict, self.events), *map(asdict, self.struck), *self.wrongs]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
