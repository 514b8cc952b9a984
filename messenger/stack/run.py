"""`manage.py run`, in order: refuse early, start the parts, say the address, keep on, end all of them."""

import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from messenger.stack import parts, place, preflight, probe
from messenger.stack.signals import Ended, Signals
from messenger.stack.supervisor import Supervisor, supervise

MIGRATE_SECONDS = 120.0
VALKEY_SECONDS = 10.0
READY_SECONDS = 60.0
VITE_PORT = 5173


@dataclass(frozen=True)
class Options:
    """What the command line and the settings say."""

    host: str
    port: int
    server: parts.ServerName
    data_dir: Path
    #: The built page's index.html.
    page: Path
    frontend: Path
    #: Vite serves the page (with hot reload) instead of the built files.
    dev: bool


def run(options: Options, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Runs a stack until SIGINT, SIGTERM or SIGHUP. Raises errors.CannotRun when there is no starting."""
    if not options.dev:
        preflight.require_page(options.page)
    data_dir = options.data_dir.absolute()
    preflight.make_data_dir(data_dir)
    preflight.raise_file_limit()
    with (
        Signals() as signals,
        contextlib.suppress(Ended),
        contextlib.closing(preflight.listen(options.host, options.port)) as listener,
        place.hold(data_dir) as directory,
    ):
        env = _environment(environment, options, data_dir, directory, _port(listener))
        with supervise(signals, env, say) as supervisor:
            say("Quarter is starting.")
            _start(supervisor, options, env, directory, listener)
            say(f"Quarter is ready: {_url(options, listener)}  (Ctrl-C ends it)")
            supervisor.keep()
    say("Quarter has ended.")


def _environment(
    given: Mapping[str, str], options: Options, data_dir: Path, directory: Path, port: int
) -> dict[str, str]:
    """The children's environment: what is given wins over what follows from host and port."""
    ports = [port, VITE_PORT] if options.dev else [port]
    origins = [f"http://{host}:{number}" for number in ports for host in ("localhost", "127.0.0.1")]
    return {
        "REDIS_URL": f"unix://{place.socket_path(directory)}",
        "QUARTER_ORIGINS": ",".join(origins),
        **{
            name: value
            for name, value in given.items()
            if value or name not in ("REDIS_URL", "QUARTER_ORIGINS")
        },
        "QUARTER_DATA_DIR": str(data_dir),
        "PYTHONUNBUFFERED": "1",
        "SERVER_PORT": str(port),
    }


def _start(
    supervisor: Supervisor, options: Options, env: Mapping[str, str], directory: Path, listener: socket.socket
) -> None:
    """Starts the parts in the order in which they need each other, and waits until the server is ready."""
    path = place.socket_path(directory)
    if env["REDIS_URL"] == f"unix://{path}":
        supervisor.start(parts.valkey(directory))
        supervisor.wait_until(lambda: _accepts(path), VALKEY_SECONDS, "valkey")
    supervisor.run_once(parts.migrate(), MIGRATE_SECONDS)
    supervisor.start(parts.server(options.server, listener.fileno()))
    supervisor.start(parts.worker())
    supervisor.start(parts.beat(directory))
    if options.dev:
        supervisor.start(parts.vite(options.frontend))
    supervisor.wait_until(lambda: _is_ready(listener, env), READY_SECONDS, "server")


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(os.fsencode(path)) == 0


def _is_ready(listener: socket.socket, env: Mapping[str, str]) -> bool:
    host, port = listener.getsockname()
    return probe.is_ready("127.0.0.1" if host == "0.0.0.0" else host, port, env)  # noqa: S104


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _url(options: Options, listener: socket.socket) -> str:
    name = "localhost" if options.host in ("127.0.0.1", "0.0.0.0", "localhost") else options.host  # noqa: S104
    return f"http://{name}:{VITE_PORT if options.dev else _port(listener)}"
