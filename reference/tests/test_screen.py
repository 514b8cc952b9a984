"""A real terminal: one types while others write."""

import asyncio
import os
import pty
import signal
import sys
import termios
from collections.abc import AsyncIterator

import pytest_asyncio

from reference.tests.conftest import MakeClient
from reference.tests.meeting import ended, heard
from reference.tests.shell import ROOT


class Pty:
    """`python -m reference link` in a terminal of its own."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.printed = ""
        self.process: asyncio.subprocess.Process
        self._more = asyncio.Event()

    async def start(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "reference", *arguments]
        self.process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**os.environ, "TERM": "xterm"},
            start_new_session=True,
        )
        asyncio.get_running_loop().add_reader(self.master, self._read)

    async def sees(self, text: str) -> None:
        while text not in self.printed:
            assert self.process.returncode is None, self.printed
            self._more.clear()
            await self._more.wait()

    def types(self, text: str) -> None:
        os.write(self.master, text.encode())

    async def ends(self) -> int:
        return await self.process.wait()

    async def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        if self.process.returncode is None:  # the test has failed
            self.process.kill()
            await self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def _read(self) -> None:
        self.printed += os.read(self.master, 65536).decode(errors="replace")
        self._more.set()


@pytest_asyncio.fixture
async def terminal() -> AsyncIterator[Pty]:
    terminal = Pty()
    yield terminal
    await terminal.close()


async def test_what_is_half_typed_stays_when_a_message_comes(
    terminal: Pty, url: str, make_client: MakeClient
) -> None:
    await terminal.start("link", "--server", url, "--name", "Bob")
    await terminal.sees("Waiting")
    link = next(word for word in terminal.printed.split() if "/#" in word)
    talk = await (await make_client()).join(link)
    await terminal.sees("Bob is here")
    terminal.types("I was just")
    await terminal.sees("I was just")
    await talk.say("hello")
    await terminal.sees("Bob: hello\r\n> I was just")
    terminal.types(" saying\n")
    await heard(talk, "I was just saying")
    await terminal.sees("✓ delivered")
    terminal.types("/erase\n")
    await terminal.sees("Type /erase again")
    terminal.process.send_signal(signal.SIGINT)
    assert await terminal.ends() == 0
    assert termios.tcgetattr(terminal.slave) == terminal.before
    await ended(talk)
    assert "has left" in str(talk.over)


async def test_ctrl_d_leaves(terminal: Pty, url: str, make_client: MakeClient) -> None:
    await terminal.start("link", "--server", url)
    await terminal.sees("Waiting")
    terminal.types("is anybody there?\n")
    await terminal.sees("Nobody is here yet. This was not sent.")
    assert not termios.tcgetattr(terminal.slave)[3] & termios.ICANON, "between two prompts a ^D would be lost"
    terminal.types("\x04")
    assert await terminal.ends() == 0
    assert "Traceback" not in terminal.printed
