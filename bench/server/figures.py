"""Numbers of many measurements, and tables of them."""

import contextlib
import math
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


def quantile(values: Sequence[float], part: float) -> float:
    """The least value that `part` (0 to 1) of all are not above (nearest rank): 0.99 gives the p99."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


@dataclass(frozen=True)
class Target:
    """What issue 5 asks of a figure: at most `most`, or at least `least`."""

    most: float | None = None
    least: float | None = None

    def is_held_by(self, value: float) -> bool:
        """Whether `value` is what was asked for."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def __str__(self) -> str:
        return f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}"


@dataclass
class Table:
    """A caption, what stands above the columns, and lines of cells; `notes` come below."""

    caption: str
    head: Sequence[str]
    lines: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    #: Whether all that belongs into it could be measured.
    is_whole: bool = True

    def add(self, *cells: object, target: Target | None = None, value: float = 0.0) -> None:
        """One line; with a target it ends with that and with whether `value` holds it."""
        verdict = [str(target), "held" if target.is_held_by(value) else "MISSED"] if target else []
        self.lines.append([*map(shown, cells), *verdict])
        sys.stderr.write(f"{' | '.join(self.lines[-1])}\n")  # a whole table takes minutes

    @contextlib.contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """What goes wrong in the block is printed as an error, and the table says that `name` is missing."""
        try:
            yield
        except Exception:
            traceback.print_exc()
            self.notes.append(f"{name} could not be measured")
            self.is_whole = False

    def __str__(self) -> str:
        columns = max(map(len, [self.head, *self.lines]))
        rows = [[*row, *[""] * (columns - len(row))] for row in [self.head, *self.lines]]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in rows
        ]
        return "\n".join([self.caption, *lines, *(f"  {note}" for note in self.notes), ""])


def shown(cell: object) -> str:
    """A cell as text: three digits of a number that matter."""
    if not isinstance(cell, float):
        return f"{cell:,}" if isinstance(cell, int) else str(cell)
    return f"{cell:,.0f}" if abs(cell) >= 99.95 else f"{cell:.1f}" if abs(cell) >= 9.995 else f"{cell:.2f}"
