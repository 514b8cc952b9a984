"""Hints between the processes, through the channel layer.

A hint says "look at session X", "session X ended" or "a newer socket is here"; it never holds stored
ciphertext, only a volatile frame (typing) travels in one. Lost, doubled or reordered hints change nothing.
Whatever the layer does (Redis dead, slow, restarted), nobody who stores or delivers waits for it or fails by
it:

- what must be said is *owed*, merged for each user, and said when the layer is back;
- each process numbers a heartbeat to itself: where one is missing it has been deaf, and lets all its
  receivers look again.

Each process holds one channel, subscribed to the group `user.<hash>` of each of its receivers.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from channels.layers import get_channel_layer

log = structlog.get_logger("quarter.chat")

Event = dict[str, Any]

BEAT_SECONDS = 1.0
LAYER_SECONDS = 2.0
RETRY_SECONDS = 0.5
OWED_MOST = 10_000
PASSING_MOST = 1_000


def group_of(user: str) -> str:
    return f"user.{user}"


class Owed:
    """What one user's receiver has to be told, merged."""

    def __init__(self) -> None:
        self.look: set[str] = set()
        self.ended: dict[str, str] = {}

    def event(self, user: str) -> Event:
        return {"type": "hint", "to": user, "look": sorted(self.look), "ended": self.ended}


class Hints:
    """Says and hears hints. `hear` gets each event; `deaf` is called when some may have been missed."""

    def __init__(self, hear: Callable[[Event], None], deaf: Callable[[], None]) -> None:
        self._hear, self._deaf = hear, deaf
        self._layer = get_channel_layer()
        self.channel: str | None = None
        self._wanted: dict[str, asyncio.Event] = {}
        self._asked: set[str] = set()
        self._held: set[str] = set()
        self._owed: dict[str, Owed] = {}
        self._passing: deque[tuple[str, Event]] = deque(maxlen=PASSING_MOST)
        self._wake = asyncio.Event()
        self._beats_said = self._beats_heard = 0
        self._lost = False

    # --- what others ask for ------------------------------------------------------------------------

    async def listen_for(self, user: str) -> None:
        """Hear this user's hints from now on; waits until that is so, but not for a dead layer."""
        done = self._wanted.setdefault(user, asyncio.Event())
        self._asked.add(user)
        self._wake.set()
        if self._lost:
            return
        try:
            async with asyncio.timeout(1):
                await done.wait()
        except TimeoutError:
            log.warning("layer_slow")

    def stop_listening(self, user: str) -> None:
        self._wanted.pop(user, None)
        self._asked.discard(user)
        self._wake.set()

    def look(self, user: str, session: str) -> None:
        """Owe this user a look at the session."""
        self._owe(user).look.add(session)

    def end(self, user: str, session: str, why: str) -> None:
        """Owe this user the word that the session ended."""
        self._owe(user).ended[session] = why

    def say(self, user: str, event: Event) -> None:
        """Say something that is not worth repeating if it is lost."""
        self._passing.append((group_of(user), event))
        self._wake.set()

    async def reply(self, channel: str, event: Event) -> None:
        """Answer another process; errors are the layer's business only."""
        try:
            async with asyncio.timeout(LAYER_SECONDS):
                await self._layer.send(channel, event)
        except Exception as error:
            self._note_lost(error)

    def _owe(self, user: str) -> Owed:
        if user not in self._owed and len(self._owed) >= OWED_MOST:
            del self._owed[next(iter(self._owed))]  # its resync will do
        self._wake.set()
        return self._owed.setdefault(user, Owed())

    # --- speaking -----------------------------------------------------------------------------------

    async def speak(self) -> None:
        """Subscribe, say what is owed, and beat once a second, for ever."""
        beat_at = 0.0
        while True:
            try:
                await self._subscribe()
                await self._pay()
                if self._now() >= beat_at:
                    beat_at = self._now() + BEAT_SECONDS
                    await self._beat()
                self._note_back()
            except Exception as error:
                self._note_lost(error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await self._rest(beat_at - self._now())

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _subscribe(self) -> None:
        if self.channel is None:
            return
        for user in self._held - self._wanted.keys():
            async with asyncio.timeout(LAYER_SECONDS):
                await self._layer.group_discard(group_of(user), self.channel)
            self._held.discard(user)
        for user in [user for user in self._wanted if user not in self._held]:
            async with asyncio.timeout(LAYER_SECONDS):
                await self._layer.group_add(group_of(user), self.channel)
            self._held.add(user)
        heard = self._asked & self._held
        for user in heard:
            self._wanted[user].set()
        self._asked -= heard

    async def _pay(self) -> None:
        while self._owed:
            user = next(iter(self._owed))
            owed = self._owed.pop(user)
            try:
                await self._publish(group_of(user), owed.event(user))
            except BaseException:
                self._merge_back(user, owed)
                raise
        while self._passing:
            await self._publish(*self._passing.popleft())

    def _merge_back(self, user: str, owed: Owed) -> None:
        newer = self._owe(user)
        newer.look |= owed.look
        newer.ended = owed.ended | newer.ended

    async def _beat(self) -> None:
        if self.channel is None:
            return
        self._beats_said += 1
        async with asyncio.timeout(LAYER_SECONDS):
            await self._layer.send(self.channel, {"type": "beat", "count": self._beats_said})

    async def _publish(self, group: str, event: Event) -> None:
        async with asyncio.timeout(LAYER_SECONDS):
            await self._layer.group_send(group, event)

    # --- hearing ------------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Hand on what is heard, for ever."""
        while True:
            try:
                self.channel = await self._layer.new_channel()
                self._held.clear()
                self._wake.set()
                while True:
                    self._take(await self._layer.receive(self.channel))
            except Exception as error:
                self._beats_said += 1  # one that can't be heard: there is something to make good
                self._note_lost(error)
                await asyncio.sleep(RETRY_SECONDS)

    def _take(self, event: Event) -> None:
        if event["type"] != "beat":
            self._hear(event)
            return
        was_deaf = event["count"] > self._beats_heard + 1
        self._beats_heard = event["count"]
        if was_deaf:
            log.warning("layer_was_deaf")
            self._deaf()

    def _note_lost(self, error: Exception) -> None:
        if not self._lost:
            log.error("layer_lost", error=type(error).__name__)
        self._lost = True

    def _note_back(self) -> None:
        if self._lost:
            log.warning("layer_back")
        self._lost = False

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


async def say_from_outside(endings: Iterable[tuple[str, str, str]]) -> None:
    """Tell (user, session, why) endings from a process without sockets, such as a command or a worker."""
    layer = get_channel_layer()
    told: dict[str, Owed] = {}
    for user, session, why in endings:
        told.setdefault(user, Owed()).ended[session] = why
    for user, owed in told.items():
        async with asyncio.timeout(LAYER_SECONDS):
            await layer.group_send(group_of(user), owed.event(user))
