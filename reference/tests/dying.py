"""`python -m reference`, killed at a point: python -m reference.tests.dying POINT COMMAND …

A point is "commit:N" or "say:KIND:N": the process gets a SIGKILL right after its N-th commit, or instead of
sending its N-th frame of a kind.
"""

import os
import signal
import sys
from collections.abc import Iterable

from reference import __main__ as command
from reference import sockets, store, wire


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_after_commit(number: int) -> None:
    commit, count = store.Store.commit, 0

    def counted(self: store.Store, writes: Iterable[store.Write]) -> None:
        nonlocal count
        commit(self, writes)
        count += 1
        if count == number:
            _die()

    store.Store.commit = counted  # type: ignore[method-assign]


def _die_instead_of_saying(kind: str, number: int) -> None:
    say, count = sockets.Connection.say, 0

    def counted(self: sockets.Connection, frame: wire.Frame) -> None:
        nonlocal count
        count += type(frame).__name__ == kind
        if count == number:
            _die()
        say(self, frame)

    sockets.Connection.say = counted  # type: ignore[method-assign]


def main(point: str, *arguments: str) -> int:
    match point.split(":"):
        case ["commit", number]:
            _die_after_commit(int(number))
        case ["say", kind, number]:
            _die_instead_of_saying(kind, int(number))
    return command.main(arguments)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
