"""Two sorts of people who talk. Both have the discipline of the page, and no more patience than it.

`Plain` speaks the wire itself and says opaque bytes with a true header: the server can't tell them from
ciphertext, and hundreds of them cost little. `Real` is the reference client, with all of its cryptography.
"""

import abc
import asyncio
import contextlib
import hashlib
import random
import struct
from collections.abc import Callable

from reference import b64u, login, outbox, sockets, trouble, wire
from reference.identity import Identity
from reference.outbox import Outbox
from reference.sockets import Connection, Lost
from reference.talk import Talk
from reference.transcript import Message
from soak.history import History, digest

#: As the page's (frontend/src/transport).
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 4.0
RESYNC_SECONDS, SILENCE_SECONDS = 20.0, 10.0
REFUSED_SECONDS = 0.25
#: Refusals that must say when to come back (DESIGN §6, R5).
OVERLOADS = ("too_fast", "full", "unavailable")
#: How many of the connections of a plain person begin with nothing, like those of a page that was reloaded.
RELOADED = 0.25

FRAME_BYTES = (256, 512, 1024, 4096)
#: How many of the messages that are stored are posted once more, like those of a page that was killed before
#: it could note it.
POSTED_AGAIN = 0.05


class Person(abc.ABC):
    """One side of one conversation. `run` goes on until it is cancelled."""

    @abc.abstractmethod
    async def run(self) -> None: ...

    @abc.abstractmethod
    def say(self) -> None:
        """Say something, now."""

    @property
    @abc.abstractmethod
    def is_quiet(self) -> bool:
        """Whether nothing that was said is still on its way to the server."""


class Plain(Person):
    """See the module. `side` 0 makes the offer to `peer`, side 1 answers it."""

    def __init__(
        self, name: str, side: int, url: str, identity: Identity, history: History, rng: random.Random
    ) -> None:
        self.conversation, self.side = name, side
        self._url, self.identity, self._history, self._rng = url, identity, history, rng
        self.peer: Identity
        self.is_open = asyncio.Event()
        self.session = ""
        self._offer = b""
        self._token: str | None = None
        self._connection: Connection | None = None
        self._outbox = Outbox()
        #: What is said is drawn apart from what depends on time, so that a seed always says the same.
        self._luck = random.Random(rng.random())
        self._said: dict[int, str] = {}
        self._newest = b""
        self._shown: dict[int, str] = {}
        self._next_n = self._heard_n = 0
        self._cursor = 0
        self._caught_up = asyncio.Event()

    @property
    def is_quiet(self) -> bool:
        return not self._outbox.waiting

    def say(self) -> None:
        n, self._next_n = self._next_n, self._next_n + 1
        padded = self._rng.choice(FRAME_BYTES)
        head = b"\x01\x03" + b64u.decode(self.session) + struct.pack(">BII", self.side, 1, n)
        body = head + self._rng.randbytes(16) + b"\x00" + self._rng.randbytes(padded + 16)
        self._said[n] = digest(body)
        self._history.note("invoked", self.conversation, self.side, n, self._said[n])
        self._newest = body
        self._outbox = outbox.added(self._outbox, n, body)
        self._post()

    # --- connecting -----------------------------------------------------------------------------------

    async def run(self) -> None:
        failures = 0
        while True:
            least = 0.0
            try:
                if self._token is None:
                    self._token = await login.log_in(self._url, self.identity)
                connection = await sockets.connect(self._url, self._token, self._cursors())
            except Lost as error:
                self._token = None if error.code == sockets.NOT_LOGGED_IN else self._token
            except trouble.Refused as error:
                least = error.retry_after or 0.0
            except trouble.Unreachable:
                pass
            else:
                failures = 0
                await self._live(connection)
            longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**failures)
            await asyncio.sleep(max(least, longest * self._luck.uniform(0.5, 1.0)))
            failures = min(failures + 1, 8)

    def _cursors(self) -> dict[str, int]:
        if self._luck.random() < RELOADED:
            self._cursor, self._heard_n = 0, 0
        return {self.session: self._cursor} if self.session else {}

    async def _live(self, connection: Connection) -> None:
        self._connection = connection
        for info in connection.sessions:
            self._meet(info)
        tasks = [asyncio.create_task(self._look_after(connection)), asyncio.create_task(self._begin())]
        try:
            self._post()
            async for frame in connection.frames():
                self._hear(frame)
        except Lost as error:
            self._history.closes[error.code] += 1
            self._token = None if error.code == sockets.NOT_LOGGED_IN else self._token
        finally:
            self._connection = None
            self._outbox = outbox.offline(self._outbox)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await connection.close()

    async def _look_after(self, connection: Connection) -> None:
        while True:
            self._caught_up.clear()
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    await self._caught_up.wait()
            except TimeoutError:
                connection.give_up()
                return
            await asyncio.sleep(RESYNC_SECONDS)
            connection.say(wire.Resync({}))

    # --- the beginning --------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Side 0 offers until the offer is there."""
        if self.side or self.is_open.is_set():
            return
        if not self._offer:
            self._offer = b"".join(
                (
                    b"\x01\x01" + self.identity.hash + self.peer.hash + self.identity.modulus,
                    self._luck.randbytes(1216 + 384 + 32),
                )
            )
            self.session = b64u.encode(hashlib.sha256(b"quarter/1 session" + self._offer).digest())
        await self._ask(lambda id: wire.Prepare(id, self.session))
        await self._ask(lambda id: wire.Offer(id, self._offer))

    async def _answer(self) -> None:
        body = b"\x01\x02" + b64u.decode(self.session) + self._luck.randbytes(384 + 1120 + 1216 + 32)
        await self._ask(lambda id: wire.Prepare(id, self.session))
        await self._ask(lambda id: wire.Answer(id, self.session, body))

    async def _ask(self, request: Callable[[int], wire.Frame]) -> None:
        while self._connection is not None:
            with contextlib.suppress(Lost):
                reply = await self._connection.ask(request)
                if not isinstance(reply, wire.Error) or (reply.permanent and reply.code != "not_found"):
                    return  # the one who is not found yet is still logging in
                await asyncio.sleep(reply.retry_after or REFUSED_SECONDS)

    # --- what the server says -------------------------------------------------------------------------

    def _hear(self, frame: sockets.Reply) -> None:
        match frame:
            case wire.Stored():
                self._outbox, gone = outbox.stored(self._outbox, frame.n)
                for n in gone:
                    self._history.note("ok", self.conversation, self.side, n, self._said[n])
                if gone and gone[-1] == self._next_n - 1 and self._luck.random() < POSTED_AGAIN:
                    self._say_again()
                self._post()
            case wire.Error(n=int(n)):
                self._refused(n, frame)
            case wire.Session():
                self._meet(frame.session)
            case wire.Item():
                self._take(frame)
            case wire.CaughtUp():
                self._caught_up.set()
            case wire.Ended():
                self._history.wrongs.append(f"{self.conversation}: ended ({frame.why})")

    def _meet(self, info: wire.SessionInfo) -> None:
        self.session = info.id
        if info.state == "open":
            self.is_open.set()

    def _refused(self, n: int, frame: wire.Error) -> None:
        if frame.permanent:
            self._outbox, _ = outbox.stored(self._outbox, n)
            self._history.note("failed", self.conversation, self.side, n, self._said[n])
            self._history.wrongs.append(f"{self.conversation}: {self.side}.{n} was refused ({frame.code})")
            return
        self._history.refusals[frame.code] += 1
        if frame.retry_after is None and frame.code in OVERLOADS:
            self._wrong(f"{n} was refused ({frame.code}) without a time to come back")
        loop = asyncio.get_running_loop()
        seconds = REFUSED_SECONDS if frame.retry_after is None else frame.retry_after
        self._outbox = outbox.refused(self._outbox, n, loop.time() + seconds)
        loop.call_later(seconds + 0.01, self._post)

    def _say_again(self) -> None:
        if self._connection is not None:
            self._connection.say(wire.Post(self.session, self._next_n - 1, self._newest))
            self._history.again += 1

    def _post(self) -> None:
        if self._connection is None:
            return
        self._outbox, posts = outbox.posted(self._outbox, asyncio.get_running_loop().time())
        for n in posts:
            self._connection.say(wire.Post(self.session, n, self._outbox.waiting[n]))

    def _take(self, item: wire.Item) -> None:
        """What comes next is taken; an own one must be as it was said; what is too early is fetched again."""
        assert self._connection is not None
        if item.kind == "message":
            n, named = int.from_bytes(item.body[39:43]), digest(item.body)
            if item.sender == self.side:
                if self._said.get(n) != named:
                    self._wrong(f"own message {n} came back altered")
            elif n > self._heard_n:
                if self._caught_up.is_set():
                    self._caught_up.clear()
                    self._connection.say(wire.Resync({self.session: self._cursor}))
                return
            elif n == self._heard_n:
                self._heard_n += 1
                self._show(n, named)
        elif item.kind == "offer" and self.side == 1 and not self.is_open.is_set():
            self._answering = asyncio.create_task(self._answer())
        if item.kind == "answer":
            self.is_open.set()
        self._cursor = max(self._cursor, item.seq)
        self._connection.say(wire.Taken(self.session, item.seq))

    def _show(self, n: int, named: str) -> None:
        """Show what is new; what a reload brings again must be what was shown before."""
        if n not in self._shown:
            self._shown[n] = named
            self._history.note("seen", self.conversation, 1 - self.side, n, named)
        elif self._shown[n] != named:
            self._wrong(f"message {n} was altered")

    def _wrong(self, what: str) -> None:
        self._history.wrongs.append(f"{self.conversation}, side {self.side}: {what}")


class Real(Person):
    """One side of a conversation of reference clients; `talk` is open already."""

    def __init__(self, name: str, talk: Talk, history: History, rng: random.Random) -> None:
        self.conversation, self.talk = name, talk
        self._history, self._rng = history, rng
        self._in_doubt: list[Message] = []

    @property
    def is_quiet(self) -> bool:
        return not self.talk.state.outbox.waiting

    def say(self) -> None:
        self._saying = asyncio.create_task(self._say())

    async def _say(self) -> None:
        text = self._rng.randbytes(self._rng.choice(FRAME_BYTES) // 4).hex()
        message = await self.talk.say(text)
        self._in_doubt.append(message)
        self._note("invoked", message)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._watch())

    async def _listen(self) -> None:
        async for message in self.talk:
            self._note("seen", message)
        self._history.wrongs.append(f"{self.conversation}: over ({self.talk.over!r})")

    async def _watch(self) -> None:
        """Note what the server has on its disk, as the marks beside the messages show it."""
        while True:
            sure = [each for each in self._in_doubt if self.talk.status(each) in ("sent", "delivered")]
            for message in sure:
                self._in_doubt.remove(message)
                self._note("ok", message)
            await asyncio.sleep(0.1)

    def _note(self, what: str, message: Message) -> None:
        named = digest(message.text.encode())
        self._history.note(what, self.conversation, message.sender, message.n, named)  # type: ignore[arg-type]
