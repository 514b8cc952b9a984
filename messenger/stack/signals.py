"""Waiting that a signal cuts short. Order: `Signals()` first, children afterwards.

A signal writes a byte into a pipe, `wait` reads it: no code of ours runs inside a handler.
"""

import select
import signal
import socket
from types import FrameType, TracebackType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(Exception):
    """Somebody asked the stack to end."""


class Signals:
    """Catches SIGINT, SIGTERM, SIGHUP and SIGCHLD while it is entered."""

    def __enter__(self) -> "Signals":
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _nothing) for number in (*ENDING, signal.SIGCHLD)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> None:
        """Waits so long, or until a child has ended; raises Ended when one of ENDING came."""
        if select.select([self._reader], [], [], max(0.0, seconds))[0]:
            caught = self._reader.recv(4096)
            if any(number in caught for number in ENDING):
                raise Ended


def _nothing(number: int, frame: FrameType | None) -> None:
    """A Python handler must stand, else the wakeup pipe is not written to."""
