"""The limits of docs/DESIGN.md §7 as one frozen record: `settings.LIMITS`.

Each can be set from the environment as QUARTER_LIMIT_ and its name in capitals. The numbers are the
operator's, the names are those of the parts that keep to them; this file and settings.py only carry them.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from messenger.env import Environment

KIB = 1024
MIB = 1024 * KIB


def _limit(default: int, meaning: str) -> Any:
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Limits:
    """Whole numbers, all above zero; units are in the names."""

    frame_bytes: int = _limit(32 * KIB, "largest websocket frame")
    text_bytes: int = _limit(
        16 * KIB, "longest text of a message; the page keeps to it, as the server can't see it"
    )
    chunk_bytes: int = _limit(64 * KIB, "one chunk of a file, without its header")
    http_body_bytes: int = _limit(256 * KIB, "largest body of an HTTP request")
    posts_burst: int = _limit(60, "messages that one user may send at once ...")
    posts_per_second: int = _limit(5, "... and how many of them come back each second")
    volatile_per_second: int = _limit(4, "typing signs a second from one user")
    sessions: int = _limit(20, "open conversations of one user")
    requests: int = _limit(10, "requests that may wait for one user's answer")
    session_items: int = _limit(2000, "stored items of one conversation")
    session_bytes: int = _limit(32 * MIB, "stored bytes of one conversation, files not counted")
    file_bytes: int = _limit(25 * MIB, "one file")
    session_file_bytes: int = _limit(100 * MIB, "all files of one conversation")
    window_items: int = _limit(64, "items sent to a page that it has not yet taken ...")
    window_bytes: int = _limit(256 * KIB, "... and their bytes; at either the server waits")
    stalled_seconds: int = _limit(30, "a page that takes nothing for so long while items wait is cut off")
    hello_seconds: int = _limit(5, "time for the first frame of a socket")
    # Two for each page; where its network went away, those that it had sit on until a ping fails.
    sockets_per_address: int = _limit(
        60, "websockets open at once from one client address, per server process"
    )
    identities_per_minute: int = _limit(10, "new users a minute from one client address, per server process")
    logins_per_minute: int = _limit(60, "login attempts a minute from one client address, per server process")


def read(env: Environment) -> Limits:
    """The limits, each from its own name in the environment.

    ImproperlyConfigured for what is no number above zero.
    """
    return Limits(**{each.name: _read_one(env, each) for each in fields(Limits)})


def _read_one(env: Environment, each: Any) -> int:
    return env.positive(f"QUARTER_LIMIT_{each.name.upper()}", each.default, each.metadata["meaning"])
