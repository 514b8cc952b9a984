"""Keeps the parts of a stack alive, and ends them together.

A part that dies is started again: at once the first time, then after 0.5, 1, 2, 4, 8 s at most; one
that has run for 30 s begins anew. Before the stack is ready the third death of a part ends it all.
"""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from messenger.stack import child, errors
from messenger.stack.parts import GRACE_SECONDS, Part
from messenger.stack.signals import Ended, Signals

SETTLED_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 8.0
DEATHS_BEFORE_READY = 3
POLL_SECONDS = 0.05


def pause_seconds(deaths: int) -> float:
    """How long to wait before the start that follows the so-manieth death in a row (1, 2, 3 …)."""
    return 0.0 if deaths < 2 else min(0.25 * 2.0 ** (deaths - 1), LONGEST_PAUSE_SECONDS)


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes] | None
    started_at: float
    deaths: int = 0
    due_at: float = 0.0


class Supervisor:
    """The parts of one stack. `say` prints one line; times are of the monotonic clock."""

    def __init__(self, signals: Signals, env: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._signals = signals
        self._env = env
        self._say = say
        self._running: list[_Running] = []
        self._ready = False

    def start(self, part: Part) -> None:
        """Starts a part that is to stay."""
        self._running.append(_Running(part, self._spawn(part), time.monotonic()))
        self._say(f"  {part.name:<8} {part.says}")

    def run_once(self, part: Part, seconds: float) -> None:
        """Runs a part to its end, which must come within so many seconds and be 0."""
        running = _Running(part, self._spawn(part), time.monotonic())
        self._running.append(running)
        self.wait_until(lambda: _has_ended(running), seconds, part.name, watch=False)
        self._running.remove(running)
        if running.process is not None and running.process.returncode != 0:
            raise errors.PartFailed(f"{part.name} failed.", "What it printed stands above.")
        self._say(f"  {part.name:<8} {part.says}")

    def wait_until(self, true: Callable[[], bool], seconds: float, what: str, *, watch: bool = True) -> None:
        """Waits for a state of the parts, looking after them meanwhile; PartFailed after so many seconds."""
        give_up_at = time.monotonic() + seconds
        while not true():
            if time.monotonic() > give_up_at:
                raise errors.PartFailed(
                    f"{what} is not ready after {seconds:.0f} s.", "What it printed stands above."
                )
            if watch:
                self.look_after()
            self._signals.wait(POLL_SECONDS)

    def keep(self) -> None:
        """Looks after the parts until a signal raises Ended."""
        self._ready = True
        while True:
            self.look_after()
            self._signals.wait(self._seconds_to_next_start())

    def look_after(self) -> None:
        """Takes note of the dead, and starts those whose time has come."""
        for running in self._running:
            if running.process is not None and running.process.poll() is not None:
                self._note_death(running, running.process.returncode)
            if running.process is None and running.due_at <= time.monotonic():
                running.process = self._spawn(running.part)
                running.started_at = time.monotonic()

    def end(self) -> None:
        """Ends all parts: SIGTERM, GRACE_SECONDS, SIGKILL. The first started is the last to go."""
        if len(self._running) > 1:
            self._end(self._running[1:])
        self._end(self._running[:1])
        self._running.clear()

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        return child.start(part.argv, self._env, directory=part.directory, fds=part.fds, quiet=part.quiet)

    def _note_death(self, running: _Running, returncode: int) -> None:
        now = time.monotonic()
        running.deaths = 1 if now - running.started_at > SETTLED_SECONDS else running.deaths + 1
        if not self._ready and running.deaths >= DEATHS_BEFORE_READY:
            raise errors.PartFailed(f"{running.part.name} does not start.", "What it printed stands above.")
        if running.process is not None:
            child.send(running.process, signal.SIGKILL)
        pause = pause_seconds(running.deaths)
        running.process, running.due_at = None, now + pause
        after = f" in {pause:g} s" if pause else ""
        self._say(f"{running.part.name} ended ({_describe(returncode)}); it is started again{after}.")

    def _seconds_to_next_start(self) -> float:
        due = [running.due_at for running in self._running if running.process is None]
        return min(due) - time.monotonic() if due else 3600.0

    def _end(self, running: Sequence[_Running]) -> None:
        processes = [one.process for one in running if one.process is not None]
        for process in processes:
            child.send(process, signal.SIGTERM)
        give_up_at = time.monotonic() + GRACE_SECONDS
        with contextlib.suppress(Ended):  # a second Ctrl-C does not wait for them
            while any(process.poll() is None for process in processes) and time.monotonic() < give_up_at:
                self._signals.wait(POLL_SECONDS)
        for process in processes:
            child.send(process, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def supervise(signals: Signals, env: Mapping[str, str], say: Callable[[str], None]) -> Iterator[Supervisor]:
    """A supervisor whose parts have all ended when the block is left, however it is left."""
    supervisor = Supervisor(signals, env, say)
    try:
        yield supervisor
    finally:
        supervisor.end()


def _has_ended(running: _Running) -> bool:
    return running.process is None or running.process.poll() is not None


def _describe(returncode: int) -> str:
    return signal.Signals(-returncode).name if returncode < 0 else f"exit code {returncode}"
