"""What the command line says, and how large a run it makes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.server.figures import Table
from bench.server.plant import Database
from messenger.stack.parts import ServerName


@dataclass(frozen=True)
class Options:
    """`quick` makes each measurement a few seconds long: to try it out, not to quote."""

    kinds: Sequence[ServerName]
    databases: Sequence[Database]
    quick: bool
    #: Whether pages say `taken` of each item, instead of once of what came at once.
    taken_each: bool
    #: How many rounds there are, and how long each counts.
    rounds: int
    seconds: float

    @property
    def warm_seconds(self) -> float:
        """How long a round runs before it counts."""
        return self.seconds / 4

    @property
    def setups(self) -> list[tuple[ServerName, Database]]:
        """Each server with each database."""
        return [(kind, database) for kind in self.kinds for database in self.databases]


#: A workload gives its tables as they are done.
Workload = Callable[[Options], Iterator[Table]]
