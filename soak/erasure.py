"""`python -m soak.erasure`: what is erased, or over, is looked for in every file that the server side has.

Two people talk over the real wire, in bodies that hold random marks. What else is only there because of them
is a mark too: session, user hashes, public keys, digests of tokens, halves of seals. All must be found
in the files first, else the search proves nothing. Then one of them erases, or the time runs out, and it is
looked again and again until no mark is in any file.

Looked through are the database's directory (tables, indexes, statistics, write-ahead log, temporary files),
Valkey's, the logs, Celery's schedule, the temporary directory of the processes, and Valkey's keys. The memory
of the processes is a finding, printed and not judged. The exit code is 1 where a promise was broken.
"""

import argparse
import asyncio
import contextlib
import hashlib
import secrets
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import unquote

import psutil
import psycopg

from e2e import search
from e2e.stack import Stack
from messenger.tests import services
from reference import b64u, login, sockets, wire
from reference.identity import Identity
from reference.sockets import Connection

Database = Literal["sqlite", "postgres"]

TTL_SECONDS = 8
SETTINGS = {"QUARTER_TTL_SECONDS": str(TTL_SECONDS), "QUARTER_TTL_MIN_SECONDS": "5"}
#: DESIGN §6, R6 and R7.
CONFIRMED_SECONDS, GONE_SECONDS, GONE_WITHOUT_CELERY_SECONDS = 2.0, 30.0, 60.0
PATIENCE_SECONDS = 90.0
BODY_BYTES = (256, 2048, 16384)
MARK_BYTES = 24


@dataclass
class Place:
    """A running stack, and where its files are."""

    stack: Stack
    directories: Sequence[Path]
    database_url: str

    def files(self) -> list[Path]:
        """Every file there is now."""
        return [path for each in self.directories for path in each.rglob("*") if path.is_file()]

    def part(self, word: str) -> psutil.Process:
        """The process with this word in its command line."""
        return next(each for each in self.stack.processes()[1:] if word in " ".join(each.cmdline()))


@dataclass(frozen=True)
class Looked:
    """A search: how many files and bytes, and where which mark was found (mark, file, offset)."""

    files: int
    size: int
    hits: Sequence[tuple[str, str, int]]

    @property
    def marks(self) -> set[str]:
        return {mark for mark, _, _ in self.hits}


@dataclass
class Couple:
    """Two people in a conversation; `marks` by what they are."""

    identities: Sequence[Identity]
    connections: list[Connection]
    session: str
    marks: dict[str, bytes] = field(default_factory=dict)

    async def close(self) -> None:
        for connection in self.connections:
            await connection.close()


@dataclass(frozen=True)
class Case:
    """How a conversation comes to its end; `end` gives when the time of its promise began."""

    name: str
    end: Callable[[Place, Couple], "contextlib.AbstractAsyncContextManager[float]"]
    seconds: float
    #: What an expiry leaves, as the identity lives on.
    spared: str = ""


def look(place: Place, marks: dict[str, bytes]) -> Looked:
    """Search every file for every mark."""
    hits, files, size = [], 0, 0
    for path in place.files():
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        files, size = files + 1, size + len(data)
        hits += [(name, str(path), at) for name, mark in marks.items() if (at := data.find(mark)) >= 0]
    for name, mark in marks.items():
        hits += [(name, f"valkey {key}", 0) for key in search.keys_holding(mark, place.stack.valkey_path)]
    return Looked(files, size, hits)


async def meet(place: Place) -> Couple:
    """Two new people talk: offer, answer, halves, and bodies of all sizes from both."""
    identities = [await asyncio.to_thread(Identity.generate) for _ in range(2)]
    url = place.stack.url
    tokens = [await login.log_in(url, who) for who in identities]
    connections = [await sockets.connect(url, token, {}) for token in tokens]
    marks = {f"{what} mark": secrets.token_bytes(MARK_BYTES) for what in ("offer", "answer")}
    first, second = identities
    offer = b"\x01\x01" + first.hash + second.hash + first.modulus + marks["offer mark"]
    offer += secrets.token_bytes(1216 + 384 + 32 - MARK_BYTES)
    raw = hashlib.sha256(b"quarter/1 session" + offer).digest()
    session = b64u.encode(raw)
    answer = b"\x01\x02" + raw + marks["answer mark"]
    answer += secrets.token_bytes(384 + 1120 + 1216 + 32 - MARK_BYTES)
    for side, connection in enumerate(connections):
        seal = await connection.ask(lambda id: wire.Prepare(id, session))
        assert isinstance(seal, wire.Seal), seal
        marks[f"half {side}"] = seal.half
        body = answer if side else offer
        _expect_ok(
            await connection.ask(
                lambda id, side=side, body=body: (
                    wire.Answer(id, session, body)  # type: ignore[misc]
                    if side
                    else wire.Offer(id, body)
                )
            )
        )
    for side, connection in enumerate(connections):
        await _talk(connection, raw, side, marks)
    for side, (who, token) in enumerate(zip(identities, tokens, strict=True)):
        marks[f"user {side}"] = b64u.encode(who.hash).encode()
        marks[f"key {side}"] = who.modulus
        marks[f"token digest {side}"] = hashlib.sha256(b64u.decode(token)).digest()
    marks["session"] = session.encode()
    return Couple(identities, connections, session, marks)


async def _talk(connection: Connection, raw: bytes, side: int, marks: dict[str, bytes]) -> None:
    session = b64u.encode(raw)
    for n, size in enumerate(BODY_BYTES):
        mark = marks[f"body {side} of {size} bytes"] = secrets.token_bytes(MARK_BYTES)
        head = b"\x01\x03" + raw + struct.pack(">BII", side, 1, n) + secrets.token_bytes(16) + b"\x00"
        connection.say(wire.Post(session, n, head + mark + secrets.token_bytes(size + 16 - MARK_BYTES)))
    async for frame in connection.frames():
        assert not isinstance(frame, wire.Error), frame
        if isinstance(frame, wire.Stored) and frame.n == len(BODY_BYTES) - 1:
            return


def _expect_ok(answer: object) -> None:
    assert isinstance(answer, wire.Ok), answer


# --- the ends --------------------------------------------------------------------------------------------


def erased_by(
    side: int, is_peer_there: bool
) -> Callable[[Place, Couple], "contextlib.AbstractAsyncContextManager[float]"]:
    @contextlib.asynccontextmanager
    async def end(place: Place, couple: Couple) -> AsyncIterator[float]:
        if not is_peer_there:
            await couple.connections[1 - side].close()
        began_at = time.monotonic()
        connection = couple.connections[side]
        for expected in (1, 0):
            asked_at = time.monotonic()
            if not expected:  # who is erased is logged out, and comes again as somebody new with the same key
                token = await login.log_in(place.stack.url, couple.identities[side])
                connection = couple.connections[side] = await sockets.connect(place.stack.url, token, {})
                asked_at = time.monotonic()
            erased = await connection.ask(wire.Erase)
            seconds = time.monotonic() - asked_at
            assert isinstance(erased, wire.Erased), erased
            assert (erased.sessions, erased.told) == (expected, int(is_peer_there) * expected), erased
            _say(f"    confirmed after {seconds:.2f} s")
            assert seconds <= CONFIRMED_SECONDS
        yield began_at

    return end


@contextlib.asynccontextmanager
async def expired(place: Place, couple: Couple) -> AsyncIterator[float]:
    """It ends by itself, and can't be read from that moment on."""
    ends_at = time.monotonic() + TTL_SECONDS
    await asyncio.sleep(TTL_SECONDS)
    for who in couple.identities:
        token = await login.log_in(place.stack.url, who)
        connection = await sockets.connect(place.stack.url, token, {couple.session: 0})
        assert connection.sessions == [], connection.sessions
        await connection.close()
    yield ends_at


@contextlib.asynccontextmanager
async def expired_without_celery(place: Place, couple: Couple) -> AsyncIterator[float]:
    """Beat and worker are stopped, and never wake up."""
    stopped = [place.part(word) for word in (" beat ", " worker ")]
    for process in stopped:
        process.suspend()
    try:
        async with expired(place, couple) as ends_at:
            yield ends_at
    finally:
        for process in stopped:
            process.resume()


@contextlib.asynccontextmanager
async def expired_while_the_server_died(place: Place, couple: Couple) -> AsyncIterator[float]:
    """The server is killed before the time is over, and its supervisor starts it again."""
    ends_at = time.monotonic() + TTL_SECONDS
    place.part("serve_daphne").kill()
    await asyncio.sleep(TTL_SECONDS)
    yield ends_at


CASES = (
    *(
        Case(
            f"erased by the {name}, the peer {'there' if there else 'away'}, twice",
            erased_by(side, there),
            GONE_SECONDS,
            f" {1 - side}",
        )
        for side, name in enumerate(("initiator", "responder"))
        for there in (True, False)
    ),
    Case("expired", expired, GONE_SECONDS, "both"),
    Case("expired, beat and worker stopped", expired_without_celery, GONE_WITHOUT_CELERY_SECONDS, "both"),
    Case("expired, the server killed", expired_while_the_server_died, GONE_SECONDS, "both"),
)


# --- running ---------------------------------------------------------------------------------------------


async def run(place: Place, case: Case) -> bool:
    """One case; whether its promises were kept."""
    _say(f"  {case.name}")
    couple = await meet(place)
    _write_out(place.database_url)
    before = look(place, couple.marks)
    missing = couple.marks.keys() - before.marks
    _say(f"    before: {_found(before, couple.marks)}")
    gone = {name: mark for name, mark in couple.marks.items() if not _is_spared(name, case.spared)}
    async with case.end(place, couple) as began_at:
        seconds = await _until_gone(place, gone, began_at)
    await couple.close()
    _write_out(place.database_url)
    after = look(place, gone)
    _say(f"    after {seconds:.1f} s: {_found(after, gone)}")
    for name, path, at in after.hits:
        _say(f"    FOUND {name}: {path} at {at}")
    if missing:
        _say(f"    NOT FOUND BEFORE: {', '.join(sorted(missing))}")
    holding = search.processes_holding(gone.values(), place.stack.processes())
    _say(f"    memory that holds one still (not judged): {len(holding)} processes")
    return not missing and not after.hits and seconds <= case.seconds


async def _until_gone(place: Place, marks: dict[str, bytes], began_at: float) -> float:
    """How many seconds after `began_at` no file held any mark, PATIENCE_SECONDS at most."""
    while True:
        found = look(place, marks)
        seconds = time.monotonic() - began_at
        if not found.hits or seconds > PATIENCE_SECONDS:
            return seconds
        await asyncio.sleep(0.25)


def _found(looked: Looked, marks: dict[str, bytes]) -> str:
    return f"{len(looked.marks)} of {len(marks)} marks in {looked.files} files of {looked.size} bytes"


def _is_spared(name: str, spared: str) -> bool:
    """Whether this mark belongs to an identity that lives on."""
    of_identity = name.startswith(("user", "key", "token"))
    return of_identity and (spared == "both" or name.endswith(spared))


def _write_out(url: str) -> None:
    """PostgreSQL: what is in memory is in the files, its knowledge of the values included."""
    if url:
        with _connect(url) as connection:
            connection.execute("ANALYZE")
            connection.execute("CHECKPOINT")


def _connect(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    """To a cluster of messenger.tests.services, whose URL is as Django wants it."""
    host = unquote(url.rsplit("/", 2)[1])
    return psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True)


@contextlib.contextmanager
def started(database: Database) -> Iterator[Place]:
    """A stack of its own on this database, with a temporary directory of its own."""
    with contextlib.ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="quarter-erasure-")))
        temporary = home / "tmp"
        temporary.mkdir()
        directories, url, more = [home], "", {}
        if database == "postgres":
            url = held.enter_context(services.postgres())
            with _connect(url) as connection:
                directories += [Path(*row) for row in connection.execute("SHOW data_directory")]
            more = {"DATABASE_URL": url}
        stack = Stack(home, {**SETTINGS, **more, "TMPDIR": str(temporary)})
        held.callback(stack.end)
        yield Place(stack, directories, url)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.erasure", description=__doc__)
    parser.add_argument("--database", choices=get_args(Database), nargs="+", default=get_args(Database))
    parser.add_argument(
        "--case", default="", metavar="WORDS", help="only cases with these words in their name"
    )
    given = parser.parse_args()
    kept = []
    for database in given.database:
        _say(f"{database}, TTL {TTL_SECONDS} s")
        with started(database) as place:
            kept += [asyncio.run(run(place, case)) for case in CASES if given.case in case.name]
    _say(f"{sum(kept)} of {len(kept)} cases kept their promises")
    return 0 if kept and all(kept) else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
