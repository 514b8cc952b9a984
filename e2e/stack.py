"""One really started Quarter: `manage.py run` on a free port and an empty directory."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90.0
END_SECONDS = 60.0

#: Two dozen people come from one address here.
ROOMY = {
    "QUARTER_LIMIT_IDENTITIES_PER_MINUTE": "1000",
    "QUARTER_LIMIT_LOGINS_PER_MINUTE": "1000",
    "QUARTER_LIMIT_SOCKETS_PER_ADDRESS": "1000",
}


def wait_until(true: Callable[[], bool], seconds: float = 60.0, what: str = "") -> None:
    """Returns when it is true; AssertionError after so many seconds."""
    give_up_at = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up_at, f"not so after {seconds:g} s: {what}"
        time.sleep(0.05)


class Stack:
    """A running stack; `settings` are QUARTER_ names of the environment, `server` is daphne or uvicorn."""

    def __init__(self, directory: Path, settings: Mapping[str, str], server: str = "daphne") -> None:
        self.data_dir = directory / "data"
        self.log_path = directory / "log"
        given = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", "--port", "0", "--server", server],
                cwd=ROOT,
                env={**given, **ROOMY, **settings, "QUARTER_DATA_DIR": str(self.data_dir)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.url = self._wait_for_url()
        except BaseException:
            self.process.kill()  # its parts end with it
            raise

    def _wait_for_url(self) -> str:
        wait_until(lambda: "is ready" in self.log or self.process.poll() is not None, START_SECONDS)
        found = re.search(r"ready: (http://localhost:\d+)", self.log)
        assert found, self.log
        return found[1]

    @property
    def log(self) -> str:
        """All that the stack and its parts have printed."""
        return self.log_path.read_text(errors="replace")

    @property
    def database_path(self) -> Path:
        return self.data_dir / "quarter.sqlite3"

    @property
    def valkey_path(self) -> Path:
        return self.data_dir / "run" / "valkey.sock"

    def processes(self) -> list[psutil.Process]:
        """The command itself and all of its parts."""
        command = psutil.Process(self.process.pid)
        return [command, *command.children(recursive=True)]

    def files(self) -> list[Path]:
        """Every file that the stack has written: database, its log, Valkey's directory, what was printed."""
        return [self.log_path, *(path for path in self.data_dir.rglob("*") if path.is_file())]

    def end(self) -> None:
        """Ends it as a terminal's owner would."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            finally:
                self.process.kill()
