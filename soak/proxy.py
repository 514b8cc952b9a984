"""What stands between two parts and may be told to misbehave: for TCP streams, and for Redis' pub/sub.

`Proxy` is the network between clients and one server. `HintProxy` is the wire between the servers and
Redis; it knows enough of RESP (https://redis.io/docs/latest/develop/reference/protocol-spec/) to lose,
double and shuffle what is published, and lets everything else through.
"""

import abc
import asyncio
import random
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Self

CHUNK_BYTES = 65_536
DELAY_SECONDS = (0.1, 0.5)
#: Byte by byte for so much of each chunk; all of it would only measure this proxy.
DRIBBLED_BYTES = 64
HINT = b"\xa4hint"
#: struct linger: on, 0 s.
AT_ONCE = struct.pack("ii", 1, 0)

Mangle = Callable[[list[bytes]], list[bytes]]


class _Carrier(abc.ABC):
    """Accepts connections, carries each in a task, and ends with all of them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @abc.abstractmethod
    async def _listen(self) -> asyncio.Server: ...

    @abc.abstractmethod
    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None: ...

    def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(client, to_client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Proxy(_Carrier):
    """Carries TCP connections to a port; `url` is where clients go. Mishaps hold until `heal`."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delayed = self._dribbled = False
        self._target: tuple[str, int] | None = None

    @property
    def url(self) -> str:
        """Where people go."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def aim(self, address: str, port: int) -> None:
        """Carry to there from now on."""
        self._target = address, port

    # --- mishaps --------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Reset every connection that is open (RST: what waits in either direction is lost)."""
        for writer in self._writers:
            if not writer.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                writer.transport.abort()

    def half_close(self) -> None:
        """Say on every connection, to one of its ends, that no more will come."""
        for writer in self._writers:
            if self._rng.random() < 0.5 and writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()

    def stall(self) -> None:
        """Carry nothing any more, and close nothing."""
        self._flowing.clear()

    def delay(self) -> None:
        """Each piece waits 300 ± 200 ms, in both directions."""
        self._delayed = True

    def dribble(self) -> None:
        """Write byte by byte."""
        self._dribbled = True

    def heal(self) -> None:
        """Be a good network again, for what is open and what comes."""
        self._delayed = self._dribbled = False
        self._flowing.set()

    # --- carrying -------------------------------------------------------------------------------------

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        writers = [to_client]
        try:
            await self._flowing.wait()
            if self._target is None:
                raise ConnectionRefusedError
            server, to_server = await asyncio.open_connection(*self._target)
            writers.append(to_server)
            self._writers.update(writers)
            await asyncio.gather(self._pass_on(client, to_server), self._pass_on(server, to_client))
        except (OSError, RuntimeError):
            pass  # one end is gone, and so will be the other
        finally:
            self._writers.difference_update(writers)
            for writer in writers:
                writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if self._delayed:
                await asyncio.sleep(self._rng.uniform(*DELAY_SECONDS))
            await self._flowing.wait()
            for piece in self._pieces(data):
                writer.write(piece)
                await writer.drain()
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()

    def _pieces(self, data: bytes) -> list[bytes]:
        if not self._dribbled:
            return [data]
        head, rest = data[:DRIBBLED_BYTES], data[DRIBBLED_BYTES:]
        return [*(head[at : at + 1] for at in range(len(head))), *filter(None, [rest])]


class HintProxy(_Carrier):
    """Carries connections to Redis' socket; listens on another. `mangle` is done to pieces of pub/sub."""

    def __init__(self, path: Path, target: Path, rng: random.Random) -> None:
        super().__init__()
        self._path, self._target, self._rng = path, target, rng
        self._mangle: Mangle | None = None
        self._pause_seconds = 0.0
        self.mangled = 0

    # --- mishaps --------------------------------------------------------------------------------------

    def drop(self) -> None:
        """Lose every hint; the beats by which a server notices that it is deaf get through."""
        self._mangle = lambda hints: []

    def double(self) -> None:
        """Deliver every hint twice."""
        self._mangle = lambda hints: hints * 2

    def shuffle(self) -> None:
        """Hold hints back and deliver them in another order."""
        held: list[bytes] = []

        def mangle(hints: list[bytes]) -> list[bytes]:
            held.extend(hints)
            if len(held) < 4:
                return []
            given = self._rng.sample(held, len(held))
            held.clear()
            return given

        self._mangle = mangle

    def slow(self, seconds: float) -> None:
        """Each answer of Redis comes so much later."""
        self._pause_seconds = seconds

    def heal(self) -> None:
        self._mangle, self._pause_seconds = None, 0.0

    # --- carrying -------------------------------------------------------------------------------------

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self._accept, self._path)

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        writers = [to_client]
        try:
            redis, to_redis = await asyncio.open_unix_connection(self._target)
            writers.append(to_redis)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(client, to_redis))
                group.create_task(self._answer(redis, to_client))
        except* (OSError, asyncio.IncompleteReadError):
            pass  # one end is gone, and so will be the other
        finally:
            for writer in writers:
                writer.transport.abort()

    async def _answer(self, redis: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        while True:
            value = await _read_value(redis)
            if self._pause_seconds:
                await asyncio.sleep(self._pause_seconds)
            values = [value]
            if self._mangle and b"\r\nmessage\r\n" in value[:32] and HINT in value:
                self.mangled += 1
                values = self._mangle(values)
            to_client.write(b"".join(values))
            await to_client.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    raise ConnectionResetError


async def _read_value(reader: asyncio.StreamReader) -> bytes:
    """One whole RESP value, as its bytes; IncompleteReadError at the end."""
    line = await reader.readuntil(b"\r\n")
    kind, count = line[:1], line[1:-2]
    if kind in b"$=!" and int(count) >= 0:
        return line + await reader.readexactly(int(count) + 2)
    if kind in b"*~>%|" and int(count) > 0:
        members = int(count) * (2 if kind in b"%|" else 1)
        return line + b"".join([await _read_value(reader) for _ in range(members)])
    return line
