"""The shell around the conversations: store, connection and clock.

Everything that changes a conversation goes through `apply`, without a pause in it: commit, then tell, then
send. So there is one send or receive at a time, and nothing leaves that is not on the disk.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import msgspec

from reference import beginning, clock, kept, login, sending, sockets, taking, trouble, wire
from reference.conversation import Opened, Restored, Step
from reference.door import Door
from reference.identity import Identity
from reference.notices import EndedAway, Online, Told
from reference.sockets import Connection, Lost
from reference.store import Forget, Put, Store
from reference.stream import Stream
from reference.talk import Talk

RESYNC_SECONDS = 20.0
SILENCE_SECONDS = 30.0
LOOK_SECONDS = 5.0
PAUSE_MIN_SECONDS, PAUSE_MAX_SECONDS = 0.2, 4.0
FAREWELL_SECONDS = 1.0

_chance = secrets.SystemRandom()


class Engine:
    """See the module. `start` logs in and connects, `stop` lets go of everything."""

    def __init__(self, origin: str, store: Store) -> None:
        self.origin = origin
        self.store = store
        self.talks: dict[str, Talk] = {}
        self.processed: set[str] = set(store.keys("processed"))
        self.infos: dict[str, wire.SessionInfo] = {}
        self.notices: Stream[Told | Talk] = Stream()
        self.failure: Exception | None = None
        self.identity: Identity
        self.limits: wire.Limits
        self.door: Door
        self._unshown: set[str] = set()
        self._connection: Connection | None = None
        self._token = ""
        self._changed = asyncio.Event()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[None]] = set()
        self._resync_at = self._caught_up_at = 0.0

    async def start(self) -> None:
        """Come back with all that was kept; Unreachable, Refused, Unusable."""
        self.identity = await kept.identity(self.store)
        self.door = Door(self)
        self._token = await login.log_in(self.origin, self.identity)
        try:
            connection = await self._connect({})
        except Lost as lost:
            raise trouble.Unreachable(f"it closed the connection with {lost.code}") from None
        try:
            for session in self.store.keys("head"):
                await self._bring_back(session, connection)
        except BaseException:
            await connection.close()
            raise
        self._start(self._serve(connection))
        self._start(self._tick())

    async def stop(self) -> None:
        """Let what was asked be answered, for a moment; then let go of everything."""
        if self._connection is not None and self._asking:
            await asyncio.wait(self._asking, timeout=FAREWELL_SECONDS)
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
        self._fail(None)
        self.store.close()

    # --- steps --------------------------------------------------------------------------------------

    def add(self, step: Step) -> Talk:
        """A new conversation, by its first step."""
        talk = Talk(self, step.conversation)
        self.talks[talk.session] = talk
        self.apply(talk, step)
        return talk

    def apply(self, talk: Talk, step: Step) -> None:
        """Make a step: commit it, tell the person, send."""
        self.store.commit(step.writes)
        talk.proceed(step)
        if any(isinstance(event, Opened | Restored) for event in step.events) and talk.is_open:
            self._unshown.discard(talk.session)
            self.notices.put(talk)
        if talk.over:
            self.talks.pop(talk.session, None)
            self.processed.add(talk.session)
            if talk.session in self._unshown:
                self.notices.put(EndedAway(talk.session, talk.over))
        for frame in step.frames:
            self.say(talk.session, frame)
        self._wake.set()
        self._tell_waiting()

    def forget(self, session: str) -> None:
        """Keep nothing of a session but that it is never processed again."""
        self.store.commit([Forget(session), Put("processed", session, b"")])
        self.processed.add(session)
        if talk := self.talks.pop(session, None):
            talk.fail(None)

    # --- to the server ------------------------------------------------------------------------------

    def say(self, session: str, frame: wire.Frame) -> None:
        """Send a frame, if there is a connection; a request is given its number, and its answer is heard."""
        if self._connection is None:
            return
        if isinstance(frame, wire.REQUESTS):
            asking = self._start(self._ask(self._connection, session, frame))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
        else:
            self._connection.say(frame)

    async def request(self, request: sockets.Request, kind: type[sockets.T]) -> sockets.T:
        """Ask, again where it is in doubt, until there is an answer. For what may be repeated; Trouble."""
        while True:
            await self.wait(lambda: self._connection is not None)
            try:
                reply = await self._connection.ask(request) if self._connection else None
            except Lost:
                reply = None
            if isinstance(reply, kind):
                return reply
            if isinstance(reply, wire.Error) and reply.permanent:
                raise _refusal(reply)
            pause = reply.retry_after if isinstance(reply, wire.Error) else None
            await asyncio.sleep(PAUSE_MIN_SECONDS if pause is None else pause)

    async def leave(self, session: str) -> None:
        """Ask the server to forget a session."""
        await self.request(lambda id: wire.Leave(id, session), wire.Ok)

    async def wait(self, true: Callable[[], bool]) -> None:
        """Wait until something is true; raises what has stopped this client."""
        while not true():
            if self.failure:
                raise self.failure
            await self._changed.wait()

    # --- the connection -----------------------------------------------------------------------------

    async def _serve(self, connection: Connection) -> None:
        """Listen, and connect again whenever the connection is lost."""
        while True:
            try:
                code = await self._listen(connection)
            finally:
                await connection.close()
            self._connection = None
            for talk in list(self.talks.values()):
                self.apply(talk, beginning.offline(talk.state, clock.now()))
            self.notices.put(Online(False))
            if code == sockets.ELSEWHERE:
                raise trouble.Elsewhere
            connection = await self._reconnect(code)

    async def _listen(self, connection: Connection) -> int:
        """Say what has to be said again, then hear; the code that it was closed with."""
        self._connection = connection
        self.infos = {info.id: info for info in connection.sessions}
        self._caught_up_at = clock.now().mono
        self._resync_at = self._caught_up_at + RESYNC_SECONDS
        for talk in list(self.talks.values()):
            self.apply(talk, beginning.resumed(talk.state, self.infos.get(talk.session), clock.now()))
        self.notices.put(Online(True))
        self._tell_waiting()
        try:
            async for frame in connection.frames():
                self._hear(frame)
        except Lost as lost:
            return lost.code
        return sockets.NO_CODE

    async def _reconnect(self, code: int) -> Connection:
        pause = PAUSE_MIN_SECONDS
        while True:
            await asyncio.sleep(pause * _chance.uniform(0.5, 1.0))
            pause = min(2 * pause, PAUSE_MAX_SECONDS)
            try:
                if code == sockets.NOT_LOGGED_IN:
                    self._token = await login.log_in(self.origin, self.identity)
                return await self._connect(self._cursors())
            except Lost as lost:
                code = lost.code
            except trouble.Refused as error:
                pause = max(pause, error.retry_after or 0.0)
            except trouble.Unreachable:
                pass

    async def _connect(self, cursors: dict[str, int]) -> Connection:
        connection = await sockets.connect(self.origin, self._token, cursors)
        self.limits = connection.limits
        return connection

    def _cursors(self) -> dict[str, int]:
        """How far each conversation has been taken, or read again."""
        talks = list(self.talks.values())[: wire.CURSORS_MAX]
        return {talk.session: talk.state.cursor for talk in talks}

    async def _bring_back(self, session: str, connection: Connection) -> None:
        """A conversation that was kept, if the server still has its half of the seal (PROTOCOL §9)."""
        half = next((info.half for info in connection.sessions if info.id == session), None)
        if half is None:  # perhaps its offer never left
            reply = await connection.ask(lambda id: wire.Prepare(id, session))
            half = reply.half if isinstance(reply, wire.Seal) else None
        found = kept.conversation(self.store, self.identity, session, half) if half else None
        if found is None:
            self.forget(session)
            self.notices.put(EndedAway(session, trouble.Expired()))
        else:
            self.talks[session] = Talk(self, found)
            self._unshown.add(session)

    # --- what the server says -----------------------------------------------------------------------

    def _hear(self, frame: sockets.Reply) -> None:
        now = clock.now()
        match frame:
            case wire.Session(info):
                self.infos[info.id] = info
            case wire.Item():
                self._take(frame)
            case wire.CaughtUp():
                self._catch_up(now)
            case wire.Ended(session, why):
                self._hear_end(session, why)
            case wire.Volatile(session, body) if talk := self.talks.get(session):
                self.apply(talk, taking.showed(talk.state, body, now))
            case wire.Stored(session, n) if talk := self.talks.get(session):
                self.apply(talk, sending.stored(talk.state, n, now))
            case wire.Error(session=str(session)) if talk := self.talks.get(session):
                self.apply(talk, sending.refused(talk.state, frame, now))
            case _:
                pass

    def _take(self, item: wire.Item) -> None:
        talk = self.talks.get(item.session)
        if talk is None:
            if item.kind == "offer":
                self.door.take_offer(item)
            self.say(item.session, wire.Taken(item.session, item.seq))
        elif talk.state.head.phase == "answered" and item.kind == "message":
            self.door.take_hello(talk, item)
        else:
            self.apply(talk, taking.took(talk.state, item, self.limits, clock.now()))

    def _catch_up(self, now: clock.Moment) -> None:
        self._caught_up_at = now.mono
        for talk in list(self.talks.values()):
            if talk.session in self.infos or talk.state.pending is not None:
                self.apply(talk, taking.caught_up(talk.state, now))
            else:  # `ready` did not name it, and no `ended` said why
                self.apply(talk, taking.ended(talk.state, "removed", now))

    def _hear_end(self, session: str, why: wire.EndedWhy) -> None:
        self.infos.pop(session, None)
        self.door.hear_end(session)
        if talk := self.talks.get(session):
            self.apply(talk, taking.ended(talk.state, why, clock.now()))

    async def _ask(self, connection: Connection, session: str, frame: wire.Frame) -> None:
        with suppress(Lost):
            reply = await connection.ask(lambda id: msgspec.structs.replace(frame, id=id))
            if talk := self.talks.get(session):
                self.apply(talk, sending.replied(talk.state, frame, reply, clock.now()))

    # --- time, and what has stopped -----------------------------------------------------------------

    async def _tick(self) -> None:
        """What time alone does. The wall clock goes on through sleep: it is looked at every few seconds."""
        while True:
            now = clock.now()
            for talk in list(self.talks.values()):
                if talk.state.next_at(now) <= now.mono:
                    self.apply(talk, taking.ticked(talk.state, now))
            self.door.forget_old_links(now)
            self._resync(now.mono)
            moments = [talk.state.next_at(now) for talk in self.talks.values()]
            soonest = min([now.mono + LOOK_SECONDS, self._resync_at, *moments])
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(soonest - now.mono, 0.0)):
                    await self._wake.wait()

    def _resync(self, now: float) -> None:
        """Ask for what hints may have failed to bring. A server that does not answer is not there."""
        if now < self._resync_at:
            return
        self._resync_at = now + RESYNC_SECONDS
        if self._connection is not None:
            self._connection.say(wire.Resync({}))
            if now - self._caught_up_at > SILENCE_SECONDS:
                self._connection.give_up()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside all else; what it raises stops the client."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._fail(error)

    def _fail(self, error: Exception | None) -> None:
        """Tell all who wait that there is nothing more to wait for."""
        self.failure = self.failure or error or trouble.Trouble("This client has stopped.")
        self.notices.end(error)
        for talk in self.talks.values():
            talk.fail(error)
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _refusal(reply: wire.Error) -> trouble.Trouble:
    return trouble.Unknown() if reply.code == "not_found" else trouble.Refused(reply.code, None)
