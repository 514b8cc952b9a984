"""What one receive socket has sent of each session, and what it sends next.

One cursor per session: the seq of the last item that was sent (or passed over, being the user's own). An
item that is pushed from memory with the next seq goes out at once. Everything else (connecting, a hint, a
resync, a full window) makes a session *due*, and due sessions are read from the database after their cursor.
So a hint that is lost, doubled or late changes nothing.

Own items are sent only as far as they existed when the page named its cursors (hello, or a resync that names
the session): a page that has just sent something need not be told.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import monotonic

import msgspec

from chat import mailbox, wire
from chat.window import Window

Look = Callable[[str, list[str] | None], Awaitable[mailbox.View]]
After = Callable[[str, int, int], Awaitable[list[mailbox.Row]]]
#: A seq, and what was stored there; without an item it is one of the user's own.
Entry = tuple[int, wire.Item | None]
OVER_KEPT = 256
#: What an item is taken for until some of its session were read. What is read and doesn't fit is read twice.
ITEM_BYTES = 32 * 1024


class Cursor(msgspec.Struct):
    """Where one session stands on this socket."""

    role: int
    seq: int
    own_through: int
    shape: tuple[str, int]
    dies_at: float
    item_bytes: int = ITEM_BYTES  # the largest that was read last


class Drain:
    """The state of a receive socket for `user`; frames and items go out by `tell`."""

    def __init__(self, user: str, tell: Callable[[bytes | wire.Item], None]) -> None:
        self._user = user
        self._say = tell
        self._window = Window()
        self._cursors: dict[str, Cursor] = {}
        self._due: dict[str, int] = {}  # session → the seq that is known to be there; 0: whatever is there
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

    def push(self, session: str, entries: Sequence[Entry]) -> bool:
        """Send what is the next from memory; False if the database must be read instead."""
        cursor = self._cursors.get(session)
        if cursor is None:
            self._looks.add(session)
            return False
        for seq, item in entries:
            if seq <= cursor.seq:
                continue
            if session in self._due or session == self._reading or seq != cursor.seq + 1:
                self._be_due(session, entries[-1][0])
                return False
            if not self._send(session, cursor, seq, item):
                return False
        return True

    def hear(self, session: str, seq: int) -> None:
        """All up to seq was stored, by another process."""
        cursor = self._cursors.get(session)
        if cursor is None:
            self._looks.add(session)
        elif seq > cursor.seq:
            self._be_due(session, seq)

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

    async def run(self, look: Look, after: After) -> None:
        """Look and read until nothing is due, or the window is full. What they raise leaves all due.

        They are mailbox.look, and mailbox.read_after for one session.
        """
        while self._is_open:
            if self._look_at_all or self._looks:
                await self._look_up(look)
            elif self._due and not self.is_blocked:
                await self._read(next(iter(self._due)), after)
            else:
                break
        if self._caught_up_due and not self._due:
            self._caught_up_due = False
            self._say(wire.encode(wire.CaughtUp()))

    async def _look_up(self, look: Look) -> None:
        # What is asked for while this looks is not in its view, and belongs to the next look.
        everything, some, asked = self._look_at_all, self._looks, self._asked
        self._look_at_all, self._looks, self._asked = False, set(), {}
        try:
            view = await look(self._user, None if everything else sorted(some))
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
        known = self._cursors.get(info.id)
        last = max(info.last_seq, known.seq) if known else info.last_seq  # it may have grown since the look
        seq = min(seq, last)
        shape = (info.state, info.ttl)
        self._cursors[info.id] = Cursor(info.role, seq, own_through, shape, monotonic() + info.left)
        if seq < last:
            self._be_due(info.id, last)

    def _be_due(self, session: str, seq: int = 0) -> None:
        known = self._due.get(session, 1)
        self._due[session] = max(known, seq) if known and seq else 0

    def _miss(self, session: str, why: str | None, was_asked: bool) -> None:
        cursor = self._cursors.get(session)
        if cursor is not None:
            self.end(session, why or ("expired" if cursor.dies_at <= monotonic() else "removed"))
        elif was_asked and session not in self._over:
            self._say_ended(session, why or "expired")

    async def _read(self, session: str, after: After) -> None:
        cursor = self._cursors[session]
        room = self._window.room_for(cursor.item_bytes)
        if not room:
            self.is_blocked = True
            return
        through = self._due.pop(session)
        limit = room + 1  # one more than fits tells whether more is waiting
        if through:
            limit = min(limit, through - cursor.seq)
        self._reading = session
        try:
            rows = await after(session, cursor.seq, limit) if limit > 0 else []
        except BaseException:
            if session in self._cursors:
                self._be_due(session)
            raise
        finally:
            self._reading = None
        if session in self._cursors:  # it did not end meanwhile
            self._send_rows(session, cursor, rows, len(rows) == limit > room)

    def _send_rows(self, session: str, cursor: Cursor, rows: list[mailbox.Row], is_full: bool) -> None:
        cursor.item_bytes = max((len(row.body) for row in rows), default=cursor.item_bytes)
        for row in rows:
            is_known = row.sender == cursor.role and row.seq > cursor.own_through
            if not self._send(session, cursor, row.seq, None if is_known else _item(session, row)):
                self.is_blocked = True
                return
        if is_full:
            self._be_due(session)

    def _send(self, session: str, cursor: Cursor, seq: int, item: wire.Item | None) -> bool:
        """Send the next item if the window has room, else leave the session due."""
        if item is not None and not self._window.fits(len(item.body)):
            self._be_due(session)
            return False
        cursor.seq = seq
        if item is not None:
            self._window.send(session, seq, len(item.body))
            self._say(item)
        return True

    def _say_ended(self, session: str, why: str) -> None:
        self._over[session] = None
        if len(self._over) > OVER_KEPT:
            del self._over[next(iter(self._over))]
        self._say(wire.encode(wire.Ended(session, why)))  # type: ignore[arg-type]


def _item(session: str, row: mailbox.Row) -> wire.Item:
    return wire.Item(session, row.seq, row.kind, row.sender, row.body)  # type: ignore[arg-type]
