"""What one receive socket has sent of each session, and what it sends next.

One cursor per session: the seq of the last item that was sent (or passed over, being the user's own). An
item that is pushed from memory with the next seq goes out at once. Everything else (connecting, a hint, a
resync, a full window) makes a session *due*, and due sessions are read from the database after their cursor.
So a hint that is lost, doubled or late changes nothing.

Own items are sent only as far as they existed when the page named its cursors (hello, or a resync that names
the session): a page that has just sent something need not be told.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import monotonic
from typing import Any

import msgspec

from chat import mailbox, wire
from chat.window import Window

Read = Callable[..., Awaitable[Any]]
OVER_KEPT = 256


class Cursor(msgspec.Struct):
    """Where one session stands on this socket."""

    role: int
    seq: int
    own_through: int
    shape: tuple[str, int]
    dies_at: float


class Drain:
    """The state of a receive socket for `user`; frames go out by `tell`."""

    def __init__(self, user: str, tell: Callable[[bytes], None]) -> None:
        self._user = user
        self._say = tell
        self._window = Window()
        self._cursors: dict[str, Cursor] = {}
        self._due: dict[str, None] = {}
        self._over: dict[str, None] = {}
        self._reading: str | None = None
        self._is_open = False
        self._opening: Mapping[str, int] | None = None
        self._asked: dict[str, int] = {}
        self._looks: set[str] = set()
        self._look_at_all = False
        self._caught_up_due = False
        self.is_blocked = False

    # --- what the page says -------------------------------------------------------------------------

    def open(self, cursors: Mapping[str, int]) -> None:
        """Begin: `ready`, then what comes after these cursors, own items included, then `caught_up`."""
        self._is_open = True
        self._opening = cursors
        self._look_at_all = True

    def resync(self, cursors: Mapping[str, int]) -> None:
        """Look at everything again; named sessions once more after the given seq, own items included."""
        self._asked.update(cursors)
        self._look_at_all = self._caught_up_due = True

    def take(self, session: str, seq: int) -> bool:
        """The page has taken all items up to seq; whether that made room."""
        made_room = self._window.take(session, seq)
        self.is_blocked = self.is_blocked and not made_room
        return made_room

    # --- what delivery says -------------------------------------------------------------------------

    def push(self, session: str, seq: int, frame: bytes | None) -> bool:
        """Send an item from memory if it is the next one; False if the database must be read instead."""
        cursor = self._cursors.get(session)
        if cursor is None:
            self._looks.add(session)
            return False
        if seq <= cursor.seq:
            return True
        if session in self._due or session == self._reading or seq != cursor.seq + 1:
            self._due[session] = None
            return False
        return self._send(session, cursor, seq, frame)

    def look(self, sessions: Iterable[str]) -> None:
        self._looks.update(sessions)

    def look_again(self) -> None:
        self._look_at_all = True

    def end(self, session: str, why: str) -> None:
        """Say that a known session ended, once; an unknown one is looked at."""
        if self._cursors.pop(session, None) is None:
            if session not in self._over:
                self._looks.add(session)
            return
        self._window.forget(session)
        self._due.pop(session, None)
        self._say_ended(session, why)

    def sessions(self) -> Iterable[str]:
        """The ids of the sessions that this socket knows."""
        return list(self._cursors)

    # --- reading ------------------------------------------------------------------------------------

    async def run(self, read: Read) -> None:
        """Look and read until nothing is due, or the window is full. What `read` raises leaves all due."""
        while self._is_open:
            if self._look_at_all or self._looks:
                await self._look(read)
            elif self._due and not self.is_blocked:
                await self._read(next(iter(self._due)), read)
            else:
                break
        if self._caught_up_due and not self._due:
            self._caught_up_due = False
            self._say(wire.encode(wire.CaughtUp()))

    async def _look(self, read: Read) -> None:
        # What is asked for while this looks is not in its view, and belongs to the next look.
        everything, some, asked = self._look_at_all, self._looks, self._asked
        self._look_at_all, self._looks, self._asked = False, set(), {}
        try:
            view: mailbox.View = await read(mailbox.look, self._user, None if everything else sorted(some))
        except BaseException:
            self._look_at_all, self._looks = everything or self._look_at_all, some | self._looks
            self._asked = asked | self._asked
            raise
        if not view.known:
            raise mailbox.IdentityGone
        if self._opening is not None:
            self._begin(view, self._opening)
        self._compare(view, set(self._cursors) if everything else some, asked)

    def _begin(self, view: mailbox.View, cursors: Mapping[str, int]) -> None:
        self._opening = None
        self._caught_up_due = True
        self._say(wire.encode(wire.ReceiveReady(list(view.sessions))))
        for session, why in view.ended.items():
            self._say_ended(session, why)
        for info in view.sessions:
            self._place(info, cursors.get(info.id, 0), info.last_seq)

    def _compare(self, view: mailbox.View, expected: set[str], asked: Mapping[str, int]) -> None:
        """Bring what the page knows to what the database says of the sessions looked at."""
        for info in view.sessions:
            if info.id not in self._over:
                self._meet(info, asked.get(info.id))
        gone = (expected | asked.keys()) - {info.id for info in view.sessions}
        for session in sorted(gone):
            self._miss(session, view.ended.get(session), session in asked)

    def _meet(self, info: wire.SessionInfo, asked: int | None) -> None:
        cursor = self._cursors.get(info.id)
        if cursor is None or cursor.shape != (info.state, info.ttl):
            self._say(wire.encode(wire.Session(info)))
        if asked is not None:
            self._window.forget(info.id)
            self.is_blocked = False
            self._place(info, asked, info.last_seq)
        elif cursor is None:
            self._place(info, 0, 0)
        else:
            self._place(info, cursor.seq, cursor.own_through)

    def _place(self, info: wire.SessionInfo, seq: int, own_through: int) -> None:
        shape = (info.state, info.ttl)
        seq = min(seq, info.last_seq) if info.id not in self._cursors else seq
        self._cursors[info.id] = Cursor(info.role, seq, own_through, shape, monotonic() + info.left)
        if seq < info.last_seq:
            self._due[info.id] = None

    def _miss(self, session: str, why: str | None, was_asked: bool) -> None:
        cursor = self._cursors.get(session)
        if cursor is not None:
            self.end(session, why or ("expired" if cursor.dies_at <= monotonic() else "removed"))
        elif was_asked and session not in self._over:
            self._say_ended(session, why or "expired")

    async def _read(self, session: str, read: Read) -> None:
        cursor, room = self._cursors[session], self._window.room
        if not room:
            self.is_blocked = True
            return
        limit = room + 1  # one more than fits tells whether more is waiting
        del self._due[session]
        self._reading = session
        try:
            rows: list[mailbox.Row] = await read(mailbox.read_after, session, cursor.seq, limit)
        except BaseException:
            if session in self._cursors:
                self._due[session] = None
            raise
        finally:
            self._reading = None
        if session in self._cursors:  # it did not end meanwhile
            self._send_rows(session, cursor, rows, limit)

    def _send_rows(self, session: str, cursor: Cursor, rows: list[mailbox.Row], limit: int) -> None:
        for row in rows:
            is_known = row.sender == cursor.role and row.seq > cursor.own_through
            if not self._send(session, cursor, row.seq, None if is_known else _frame(session, row)):
                self.is_blocked = True
                return
        if len(rows) == limit:
            self._due[session] = None

    def _send(self, session: str, cursor: Cursor, seq: int, frame: bytes | None) -> bool:
        """Send the next item if the window has room, else leave the session due."""
        if frame is not None and not self._window.fits(len(frame)):
            self._due[session] = None
            return False
        cursor.seq = seq
        if frame is not None:
            self._window.send(session, seq, len(frame))
            self._say(frame)
        return True

    def _say_ended(self, session: str, why: str) -> None:
        self._over[session] = None
        if len(self._over) > OVER_KEPT:
            del self._over[next(iter(self._over))]
        self._say(wire.encode(wire.Ended(session, why)))  # type: ignore[arg-type]


def _frame(session: str, row: mailbox.Row) -> bytes:
    return wire.encode(wire.Item(session, row.seq, row.kind, row.sender, row.body))  # type: ignore[arg-type]
