"""`python -m soak.stack DIRECTORY`: what `manage.py run` starts, with as many servers as wanted.

The parts, their command lines and their supervisor are those of `manage.py run`; a part that is killed comes
back as it does there. The last line before it waits is `ready` and the servers' ports.
"""

import argparse
import contextlib
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

from messenger.stack import parts, place, preflight, probe
from messenger.stack.run import MIGRATE_SECONDS, READY_SECONDS, VALKEY_SECONDS
from messenger.stack.signals import Ended, Signals
from messenger.stack.supervisor import supervise

APPLICATION = "messenger.asgi:application"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m soak.stack", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--kind", choices=get_args(parts.ServerName), default="daphne")
    parser.add_argument("--application", default=APPLICATION, help="what Daphne serves")
    given = parser.parse_args()
    with contextlib.ExitStack() as held:
        signals = held.enter_context(Signals())
        held.enter_context(contextlib.suppress(Ended))
        listeners = [
            held.enter_context(contextlib.closing(preflight.listen(given.host, 0)))
            for _ in range(given.servers)
        ]
        directory = held.enter_context(place.hold(given.directory))
        env = {"REDIS_URL": f"unix://{place.socket_path(directory)}", **os.environ}
        supervisor = held.enter_context(supervise(signals, env, _say))
        supervisor.start(parts.valkey(directory))
        supervisor.wait_until(place.socket_path(directory).exists, VALKEY_SECONDS, "valkey")
        supervisor.run_once(parts.migrate(), MIGRATE_SECONDS)
        for number, listener in enumerate(listeners, 1):
            server = parts.server(given.kind, listener.fileno())
            argv = [given.application if word == APPLICATION else word for word in server.argv]
            supervisor.start(replace(server, name=f"server-{number}", argv=argv))
        supervisor.start(parts.worker())
        beat = parts.beat(directory)
        # Where a clock moves it is not beat's: its sleep fails under libfaketime 0.9.10 (EINVAL).
        supervisor.start(replace(beat, argv=["env", "-u", "LD_PRELOAD", *beat.argv]))
        ports = [_port(listener) for listener in listeners]
        supervisor.wait_until(
            lambda: all(probe.is_ready(given.host, port, env) for port in ports), READY_SECONDS, "server"
        )
        _say("ready " + " ".join(map(str, ports)))
        supervisor.keep()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
