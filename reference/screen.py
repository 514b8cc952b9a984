"""Lines in and out: a terminal in which one types while others write, or pipes with plain lines."""

import asyncio
import contextlib
import os
import sys
import termios
import threading
from collections.abc import AsyncIterator, Iterator

from reference.stream import Stream

PIPE_BYTES = 65_536
PROMPT = "> "
ERASE_LINE = "\r\033[K"


class Screen:
    """`show` prints a line above the one that is being typed; `lines` gives what was typed, until its end."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._typed: Stream[str] = Stream()
        self._is_asking = False

    def show(self, text: str) -> None:
        """Print. The text is safe: what others wrote went through `plain`."""
        if self._is_asking and self.is_terminal:
            text = f"{ERASE_LINE}{text}\n{PROMPT}{_half_typed()}"
            sys.stdout.write(text)
        else:
            sys.stdout.write(text + "\n")
        sys.stdout.flush()

    async def lines(self) -> AsyncIterator[str]:
        """What is typed, line by line, without the line's end."""
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._read, args=(loop,), daemon=True)
        thread.start()  # it can't be cancelled while it reads; the process doesn't wait for it
        async for line in self._typed:
            yield line

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError, OSError, ValueError):  # the loop or the terminal is gone
            for line in self._rows():
                loop.call_soon_threadsafe(self._typed.put, line)
            loop.call_soon_threadsafe(self._typed.end)

    def _rows(self) -> Iterator[str]:
        if not self.is_terminal:
            yield from _rows_of_pipe()
            return
        import readline  # noqa: F401 input() has line editing then

        while True:
            self._is_asking = True
            try:
                yield input(PROMPT)
            except EOFError:
                return
            finally:
                self._is_asking = False


@contextlib.contextmanager
def opened() -> Iterator[Screen]:
    """A screen; the terminal is afterwards as it was, though a line may still be being read.

    It gives characters, not lines, also between two lines: else a ^D typed there is kept as an
    end of a line of which readline sees no more than a NUL.
    """
    screen = Screen()
    if not screen.is_terminal:
        yield screen
        return
    before = termios.tcgetattr(sys.stdin)
    by_character = termios.tcgetattr(sys.stdin)
    by_character[3] &= ~termios.ICANON
    termios.tcsetattr(sys.stdin, termios.TCSADRAIN, by_character)
    try:
        yield screen
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        sys.stdout.write("\r\n")


def _rows_of_pipe() -> Iterator[str]:
    """Read from the descriptor itself: Python's buffer has a lock, and at the end we may still be reading."""
    rest = b""
    while data := os.read(sys.stdin.fileno(), PIPE_BYTES):
        *rows, rest = (rest + data).split(b"\n")
        yield from (row.decode(errors="replace").rstrip("\r") for row in rows)
    if rest:
        yield rest.decode(errors="replace")


def _half_typed() -> str:
    import readline

    return readline.get_line_buffer()
