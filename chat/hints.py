"""Hints between the processes, through the channel layer.

A hint says "session X has items up to seq n", "look at session X", "session X ended" or "a newer socket is
here"; it never holds stored ciphertext, only a volatile frame (typing) travels in one. Lost, doubled or
reordered hints change nothing.
Whatever the layer does (Redis dead, slow, restarted), nobody who stores or delivers waits for it or fails by
it:

- what must be said is *owed*, merged for each user, and said when the layer is back;
- each process numbers a heartbeat to itself: where one is missing it has been deaf, and lets all its
  receivers look again.

Each process holds one channel, subscribed to the group `user.<hash>` of each of its receivers. A hint for
somebody whose process is not known goes to that group, and the process that has the user answers `here`. From
then on for PLACE_SECONDS the hints of a commit go to that process in one piece, however many users they are
for. A process that has a user no longer sends the hints `back`, and one that has a new user says `arrived` to
all: so who moved is found at once, and when each of these words was lost, PLACE_SECONDS later.
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
LAYER_SECONDS = 5.0  # a loop that greets thousands of pages after a restart is late by itself
RETRY_SECONDS = 0.5
OWED_MOST = 10_000
PASSING_MOST = 1_000
PLACE_SECONDS = 10.0
PLACES_MOST = 100_000
PROCESSES = "processes"  # the group of all


def group_of(user: str) -> str:
    return f"user.{user}"


class Owed:
    """What one user's receiver has to be told, merged."""

    def __init__(self) -> None:
        self.look: set[str] = set()
        self.more: dict[str, int] = {}
        self.ended: dict[str, str] = {}

    def event(self, user: str) -> Event:
        parts = {"look": sorted(self.look), "more": self.more, "ended": self.ended}
        return {"type": "hint", "to": user, **parts}

    def add(self, event: Event) -> None:
        """What an event says that is older than all of this."""
        self.look.update(event["look"])
        for session, seq in event["more"].items():
            self.more[session] = max(seq, self.more.get(session, 0))
        self.ended = event["ended"] | self.ended


class Hints:
    """Says and hears hints. `hear` gets each event; `deaf` is called when some may have been missed."""

    def __init__(self, hear: Callable[[Event], None], deaf: Callable[[], None]) -> None:
        self._hear, self._deaf = hear, deaf
        self._layer = get_channel_layer()
        self.channel: str | None = None
        self._wanted: dict[str, asyncio.Event] = {}
        self._asked: set[str] = set()
        self._left: set[str] = set()
        self._held: set[str] = set()
        self._is_joined = False
        self._owed: dict[str, Owed] = {}
        self._places: dict[str, tuple[str, float]] = {}  # user → a process's channel, and until when
        self._asking: dict[str, set[str]] = {}  # a process's channel → users of ours that it asked for
        self._returns: dict[str, list[Event]] = {}  # the same → hints for users that are not here
        self._arrived: set[str] = set()
        self._passing: deque[tuple[str, Event]] = deque(maxlen=PASSING_MOST)
        self._wake = asyncio.Event()
        self._beats_said = self._beats_heard = 0
        self._lost = self._is_slow = False

    # --- what others ask for ------------------------------------------------------------------------

    async def listen_for(self, user: str) -> None:
        """Hear this user's hints from now on; waits until that is so, but not for a dead layer."""
        done = self._wanted.setdefault(user, asyncio.Event())
        self._asked.add(user)
        self._arrived.add(user)
        self._wake.set()
        if self._lost:
            return
        try:
            async with asyncio.timeout(1):
                await done.wait()
            self._is_slow = False
        except TimeoutError:
            if not self._is_slow:  # a herd of pages needs one line
                log.warning("layer_slow")
            self._is_slow = True

    def stop_listening(self, user: str) -> None:
        self._wanted.pop(user, None)
        self._asked.discard(user)
        self._arrived.discard(user)
        self._left.add(user)
        self._wake.set()

    def look(self, user: str, session: str) -> None:
        """Owe this user a look at the session."""
        self._owe(user).look.add(session)

    def more(self, user: str, session: str, seq: int) -> None:
        """Owe this user the word that all up to seq is stored."""
        self._owe(user).more[session] = seq

    def end(self, user: str, session: str, why: str) -> None:
        """Owe this user the word that the session ended."""
        self._owe(user).ended[session] = why

    def say(self, user: str, event: Event) -> None:
        """Say something that is not worth repeating if it is lost."""
        self._passing.append((group_of(user), event))
        self._wake.set()

    def place_of(self, user: str) -> str | None:
        """The channel of the process that has this user, as far as is known."""
        place, until = self._places.get(user, (None, 0.0))
        return place if until > self._now() else None

    async def reply(self, channel: str, event: Event) -> None:
        """Answer another process; errors are the layer's business only."""
        try:
            await self._send(channel, event)
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
        if not self._is_joined:
            async with asyncio.timeout(LAYER_SECONDS):
                await self._layer.group_add(PROCESSES, self.channel)
            self._is_joined = True
        # Only those who moved: each commit comes by here, and there may be thousands of others.
        for user in list(self._left):
            if user in self._held and user not in self._wanted:
                async with asyncio.timeout(LAYER_SECONDS):
                    await self._layer.group_discard(group_of(user), self.channel)
                self._held.discard(user)
            self._left.discard(user)
        for user in list(self._asked):
            if user not in self._held:
                async with asyncio.timeout(LAYER_SECONDS):
                    await self._layer.group_add(group_of(user), self.channel)
                self._held.add(user)
            if user in self._wanted:  # who comes first need not wait for all who came with it
                self._wanted[user].set()
            self._asked.discard(user)

    async def _pay(self) -> None:
        """Say what is owed now. What comes meanwhile waits for its turn, or nothing else would have one."""
        owed, self._owed = self._owed, {}
        hints = [each.event(user) for user, each in owed.items()]
        try:
            await self._tell(hints)
        except BaseException:  # what was said already is said again: that changes nothing
            self._owe_again(hints)
            raise
        for _ in range(len(self._passing)):
            await self._publish(*self._passing.popleft())
        await self._answer()

    async def _tell(self, hints: Iterable[Event]) -> None:
        """One message for each process that is known to have some of these users, one for each other user."""
        known: dict[str, list[Event]] = {}
        for hint in hints:
            place = self.place_of(hint["to"])
            if place is None:
                await self._publish(group_of(hint["to"]), hint | {"from": self.channel})
            else:
                known.setdefault(place, []).append(hint)
        for place, some in known.items():
            await self._send(place, {"type": "hints", "from": self.channel, "hints": some})

    async def _answer(self) -> None:
        """Say who is here to those who asked, who is not, and who has come."""
        while self._asking:
            place, users = self._asking.popitem()
            await self._send(place, {"type": "here", "at": self.channel, "users": sorted(users)})
        while self._returns:
            place, hints = self._returns.popitem()
            await self._send(place, {"type": "back", "hints": hints})
        if self._arrived and self.channel is not None:
            arrived = sorted(self._arrived)
            await self._publish(PROCESSES, {"type": "arrived", "at": self.channel, "users": arrived})
            self._arrived.difference_update(arrived)

    def _owe_again(self, hints: Iterable[Event]) -> None:
        for hint in hints:
            self._owe(hint["to"]).add(hint)

    async def _beat(self) -> None:
        if self.channel is None:
            return
        self._beats_said += 1
        await self._send(self.channel, {"type": "beat", "count": self._beats_said})
        self._note_back()

    async def _send(self, channel: str, event: Event) -> None:
        async with asyncio.timeout(LAYER_SECONDS):
            await self._layer.send(channel, event)

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
                self._is_joined = False
                self._asked.update(self._wanted)
                self._arrived.update(self._wanted)  # others know the old channel
                self._wake.set()
                while True:
                    self._take(await self._layer.receive(self.channel))
            except Exception as error:
                self._beats_said += 1  # one that can't be heard: there is something to make good
                self._note_lost(error)
                await asyncio.sleep(RETRY_SECONDS)

    def _take(self, event: Event) -> None:
        match event["type"]:
            case "beat":
                self._take_beat(event)
            case "hints":
                self._take_hints(event)
            case "here":
                self._place(event["users"], event["at"])
            case "arrived":
                self._place([user for user in event["users"] if user in self._places], event["at"])
            case "back":
                for hint in event["hints"]:
                    self._places.pop(hint["to"], None)
                self._owe_again(event["hints"])
            case _:
                if event.get("from") is not None and event["to"] in self._wanted:
                    self._asking.setdefault(event["from"], set()).add(event["to"])
                    self._wake.set()
                self._hear(event)

    def _take_hints(self, event: Event) -> None:
        for hint in event["hints"]:
            if hint["to"] in self._wanted:
                self._hear(hint)
            else:
                self._returns.setdefault(event["from"], []).append(hint)
                self._wake.set()

    def _place(self, users: Iterable[str], channel: str) -> None:
        if len(self._places) > PLACES_MOST:
            self._places.clear()
        until = self._now() + PLACE_SECONDS
        self._places |= dict.fromkeys(users, (channel, until))

    def _take_beat(self, event: Event) -> None:
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
