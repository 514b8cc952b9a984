"""The wall clock of the servers, moved while they run (libfaketime). The monotonic one can't be set."""

from pathlib import Path

from soak.hosts import Missing

LIBRARIES = ("/usr/lib", "/usr/local/lib")


class Clock:
    """Processes with this `environment` read their clock's offset from a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        found = [each for place in LIBRARIES for each in Path(place).glob("**/faketime/libfaketimeMT.so.1")]
        if not found:
            raise Missing("libfaketime is missing (Debian: apt-get install libfaketime).")
        self._library = found[0]
        self.move(0)

    @property
    def environment(self) -> dict[str, str]:
        """What such a process needs."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def move(self, seconds: int) -> None:
        """So far from the truth, from the next second on."""
        self._path.write_text(f"{seconds:+d}s\n")
