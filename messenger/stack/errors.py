"""Why a stack does not start: a sentence, a remedy, and the exit code of sysexits(3).

PortTaken 69    InUse 69    PageMissing 78    DataDirRefused 78    BadAddress 78    PartFailed 70
"""

import os


class CannotRun(Exception):
    """Base of all refusals; `str()` is what a person reads."""

    returncode = os.EX_SOFTWARE

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}\n{remedy}")


class PortTaken(CannotRun):
    """Somebody listens there already."""

    returncode = os.EX_UNAVAILABLE


class InUse(CannotRun):
    """Another stack holds the data directory."""

    returncode = os.EX_UNAVAILABLE


class BadAddress(CannotRun):
    """The host is none of this machine's IPv4 addresses."""

    returncode = os.EX_CONFIG


class PageMissing(CannotRun):
    """Nobody has built the page yet."""

    returncode = os.EX_CONFIG


class DataDirRefused(CannotRun):
    """The data directory can't be made or written to."""

    returncode = os.EX_CONFIG


class PartFailed(CannotRun):
    """A part did not come up."""
