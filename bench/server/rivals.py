"""Two other servers in the same run, small re-makings of our own: textbook/ and seed/ say what they are."""

import contextlib
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from bench.server import talking
from bench.server.cores import OTHERS_CORE, SERVERS_CORE, on_core
from bench.server.cpu import Families
from bench.server.drive import Round
from bench.server.figures import Table, Target
from bench.server.generator import generator
from bench.server.ground import ROOT, inherited, temporary_directory, valkey, wait_until
from bench.server.guests import Seeds, Textbooks
from bench.server.options import Options
from bench.server.plant import plant
from bench.server.postgres import postgres
from bench.server.rounds import Load, Pages, busy
from messenger.stack import child, place, preflight

PAIRS, IN_FLIGHT = 50, 16
SEED = Path(__file__).resolve().parent / "seed"


def rivals(options: Options) -> Iterator[Table]:
    """Quarter beside Channels as the textbook has it and beside a Flask-SocketIO server."""
    table = Table(
        f"{PAIRS} pairs, {IN_FLIGHT} in flight each way. {talking.COST}; how often ours the server's are",
        ("", *talking.HEAD, "times ours", "target", ""),
    )
    costs: dict[str, float] = {}
    for kind in options.kinds:
        with table.attempt(kind), plant(kind, "postgres") as running, generator() as ask:
            load = Pages(running.people(PAIRS), options.taken_each)
            found = talking.saturate(options, ask, load, running, IN_FLIGHT)
            costs[kind] = median(each.cost("server") for each in found)
            table.add(f"Quarter, {kind}, postgres", *talking.cells(found))
    for name, measure, least in (
        ("textbook (stores in PostgreSQL)", _textbook, 70.0),
        ("seed (stores nothing)", _seed, 15.0),
    ):
        with table.attempt(name):
            found = measure(options)
            table.add(name, *talking.cells(found))
            for server, ours in costs.items():
                ratio = median(each.cost("server") for each in found) / ours
                blank = [""] * len(talking.HEAD)
                table.add(f"… beside {server}", *blank, ratio, target=Target(least=least), value=ratio)
    yield table


def _textbook(options: Options) -> list[Round]:
    """The rounds of textbook/, on Daphne."""
    with contextlib.ExitStack() as held:
        held.enter_context(on_core(OTHERS_CORE))
        directory = held.enter_context(temporary_directory())
        run = held.enter_context(place.hold(directory))
        valkey_pid = held.enter_context(valkey(run))
        cluster = held.enter_context(postgres(directory / "postgres"))
        listener = held.enter_context(contextlib.closing(preflight.listen("127.0.0.1", 0)))
        environment = {
            **inherited(),
            "DJANGO_SETTINGS_MODULE": "bench.server.textbook.settings",
            "TEXTBOOK_POSTGRES": str(directory / "postgres"),
            "TEXTBOOK_REDIS": f"unix://{place.socket_path(run)}",
        }
        migrate = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "-v", "0"]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
        argv = [sys.executable, "-m", "daphne", "-v", "0", "--fd", str(listener.fileno())]
        argv.append("bench.server.textbook.asgi:application")
        port = listener.getsockname()[1]
        pid = held.enter_context(_served(argv, environment, port, [listener.fileno()]))
        families = {"server": [pid], "database": [cluster.pid], "valkey": [valkey_pid]}
        return _measured(options, Textbooks(f"http://127.0.0.1:{port}", PAIRS), families)


def _seed(options: Options) -> list[Round]:
    """The rounds of seed/, in a venv of its own that is made for this run."""
    with temporary_directory() as directory:
        python = directory / "venv/bin/python"
        venv.create(directory / "venv", with_pip=True)
        install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([python, *install, "--require-hashes", "-r", SEED / "requirements.txt"], check=True)
        with contextlib.closing(preflight.listen("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]  # it is free, and will be
        argv = [str(python), str(SEED / "app.py"), str(port)]
        with _served(argv, inherited(), port) as pid:
            families: Families = {"server": [pid], "database": [], "valkey": []}
            return _measured(options, Seeds(f"http://127.0.0.1:{port}", PAIRS), families)


@contextlib.contextmanager
def _served(
    argv: Sequence[str], environment: Mapping[str, str], port: int, fds: Sequence[int] = ()
) -> Iterator[int]:
    """A process on the server's core, which listens at `port`; its id."""
    with on_core(SERVERS_CORE):
        process = child.start(argv, environment, directory=ROOT, fds=fds, quiet=True)
    try:
        wait_until(lambda: _listens(port), "the server")
        yield process.pid
    finally:
        process.kill()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _measured(options: Options, load: Load, families: Families) -> list[Round]:
    with generator() as ask:
        return [
            # The slower one has 1,600 messages to store before it delivers at its pace.
            ask(busy, load, families, IN_FLIGHT, True, 2 * options.seconds, 2 * options.seconds)
            for _ in range(options.rounds)
        ]
