"""`python -m reference` as a process, driven through pipes."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]


class Shell:
    """One process; `printed` is all that it has printed."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._more = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self.printed = ""

    @classmethod
    async def start(cls, module: str, *arguments: str) -> Self:
        command = [sys.executable, "-m", module, *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=STDOUT
        )
        return cls(process)

    async def sees(self, text: str, times: int = 1) -> None:
        """Wait until it has printed a text so many times."""
        while self.printed.count(text) < times:
            assert not self._reading.done(), self.printed
            self._more.clear()
            await self._more.wait()

    async def types(self, line: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def link(self) -> str:
        """The link that it prints."""
        await self.sees("Waiting")
        found = re.search(r"http\S+#\S+", self.printed)
        assert found, self.printed
        return found[0]

    def interrupt(self, number: int) -> None:
        self._process.send_signal(number)

    def close_input(self) -> None:
        """As at the end of a pipe, or Ctrl-D."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def ends(self) -> int:
        """Its exit code."""
        code = await self._process.wait()
        await self._reading
        return code

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self.ends()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.printed += line.decode()
            self._more.set()
        self._more.set()


@asynccontextmanager
async def shells() -> AsyncIterator[list[Shell]]:
    """A list of processes, which are killed at the end."""
    started: list[Shell] = []
    try:
        yield started
    finally:
        for shell in started:
            await shell.kill()
