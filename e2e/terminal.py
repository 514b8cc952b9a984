"""A person at a terminal: `python -m reference`, the other implementation, driven through pipes."""

import re
import subprocess
import sys
from threading import Condition, Thread

from e2e.stack import ROOT

WAIT_SECONDS = 60.0


class Terminal:
    """One process. Methods are what a person does, or sees; `printed` is all that it has printed."""

    def __init__(self, url: str, command: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reference", command, "--server", url, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._more = Condition()
        self.printed = ""
        self._reading = Thread(target=self._read)
        self._reading.start()

    def says(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def sees(self, pattern: str, times: int = 1) -> str:
        """Waits until it has printed something; its last group, or all of it."""
        with self._more:
            printed = self._more.wait_for(
                lambda: len(re.findall(pattern, self.printed)) >= times, WAIT_SECONDS
            )
            assert printed, f"{pattern} is not in:\n{self.printed}"
            found = re.findall(pattern, self.printed)
        return str(found[-1])

    def link(self) -> str:
        return self.sees(r"(http\S+#\S+)\s")

    def code(self) -> str:
        return self.sees(r"code\D*: (\S{43})\s")

    def ends(self) -> int:
        """Waits for its end; the exit code."""
        code = self._process.wait(WAIT_SECONDS)
        self._reading.join()
        return code

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self.ends()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self.printed += line
                self._more.notify_all()
