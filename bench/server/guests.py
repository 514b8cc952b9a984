"""People at the two re-makings (rivals.py), of one websocket each."""

import base64
import json
import os
from dataclasses import dataclass

from bench.server import frames
from bench.server.drive import Pairs
from bench.server.link import Link, connect
from bench.server.person import Person
from bench.server.rounds import Load

TEXT = base64.b64encode(os.urandom(1024)).decode()


class Guest(Person, Link):
    """A person of one websocket, whose messages are all the same text."""

    def __init__(self, origin: str, path: str, message: str) -> None:
        Person.__init__(self)
        Link.__init__(self, origin, path)
        self._origin, self._frame = origin, frames.masked(message.encode(), frames.TEXT)
        self._count = 0

    async def enter(self, index: int) -> None:
        await connect(self, self._origin, index)

    def say(self, count: int) -> None:
        self.said += count
        self.write(self._frame * count)

    def leave(self) -> None:
        self.close()

    def tell(self, text: str) -> None:
        """Send a frame."""
        self.write(frames.masked(text.encode(), frames.TEXT))

    def took(self) -> None:
        count, self._count = self._count, 0
        if count:
            self.heard(count)


class TextbookGuest(Guest):
    """Its own messages come back to it: these are the acknowledgements."""

    def __init__(self, origin: str, room: int, side: int) -> None:
        message = json.dumps({"sender": side, "message": TEXT})
        super().__init__(origin, f"/ws/chat/{room}/", message)
        self._own = b'{"sender": %d' % side

    def opened(self) -> None:
        self.be_ready()

    def take(self, data: bytes, begin: int, end: int) -> None:
        if data.startswith(self._own, begin):
            self.acknowledged += 1
        else:
            self._count += 1


class SeedGuest(Guest):
    """Engine.IO 4 and Socket.IO 5 on a websocket: a digit for the packet, another for what is in it."""

    def __init__(self, origin: str, room: int) -> None:
        self._room = f"room {room}"
        message = json.dumps(["message", {"room": self._room, "message": TEXT}])
        super().__init__(origin, "/socket.io/?EIO=4&transport=websocket", f"421{message}")

    def take(self, data: bytes, begin: int, end: int) -> None:
        head = data[begin : begin + 3]
        if head == b"42[":
            self._count += 1
        elif head == b"431":
            self.acknowledged += 1
        elif head[:1] == b"0":  # open: connect
            self.tell("40")
        elif head[:2] == b"40":  # connected: join
            self.tell("420" + json.dumps(["join", {"room": self._room}]))
        elif head == b"430":  # joined
            self.be_ready()
        elif head[:1] == b"2":  # ping
            self.tell("3")


@dataclass(frozen=True)
class Textbooks(Load):
    """Pairs at textbook/."""

    origin: str
    rooms: int

    def pairs(self) -> Pairs:
        return [
            (TextbookGuest(self.origin, room, 0), TextbookGuest(self.origin, room, 1))
            for room in range(self.rooms)
        ]


@dataclass(frozen=True)
class Seeds(Load):
    """Pairs at seed/."""

    origin: str
    rooms: int

    def pairs(self) -> Pairs:
        return [(SeedGuest(self.origin, room), SeedGuest(self.origin, room)) for room in range(self.rooms)]
