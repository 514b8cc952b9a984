"""What a receive socket sends next, without any socket: the database is a list here."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from chat import mailbox, wire
from chat.drain import ITEM_BYTES, Drain, Entry

S, T = "S" * 42 + "A", "T" * 42 + "A"
_decoder = msgspec.msgpack.Decoder(wire.ReceiveReply)


class World:
    """Two sessions of `me`, who is their initiator, and one drain; what it says is decoded in `said`."""

    def __init__(self) -> None:
        self.items: dict[str, list[mailbox.Row]] = {S: []}
        self.ended: dict[str, str] = {}
        self.state: dict[str, wire.SessionInfo] = {}
        self.said: list[Any] = []
        self.reads = 0
        self.drain = Drain("me", self._hear)

    def _hear(self, frame: bytes | wire.Item) -> None:
        self.said.append(frame if isinstance(frame, wire.Item) else _decoder.decode(frame))

    def store(self, session: str = S, sender: int = 1) -> tuple[str, list[Entry]]:
        """A new item; the arguments of the push that tells of it."""
        seq = len(self.items[session]) + 1
        row = mailbox.Row(seq, "message", sender, bytes([seq]))
        self.items[session].append(row)
        item = wire.Item(session, seq, "message", 1, row.body) if sender == 1 else None
        return session, [(seq, item)]

    async def look(self, _: str, only: list[str] | None) -> mailbox.View:
        self.reads += 1
        return self._look(only)

    async def after(self, session: str, cursor: int, limit: int) -> list[mailbox.Row]:
        self.reads += 1
        return [row for row in self.items.get(session, []) if row.seq > cursor][:limit]

    def _look(self, only: Iterable[str] | None) -> mailbox.View:
        names = self.items.keys() if only is None else self.items.keys() & set(only)
        infos = [
            wire.SessionInfo(name, 0, "P" * 42 + "A", "open", 900, 900.0, len(self.items[name]), 0, bytes(32))
            for name in sorted(names)
        ]
        ended = self.ended if only is None else {key: self.ended[key] for key in self.ended if key in only}
        return mailbox.View(tuple(infos), dict(ended), True)

    async def run(self) -> None:
        await self.drain.run(self.look, self.after)

    async def open(self, **cursors: int) -> None:
        self.drain.open(cursors)
        await self.run()
        self.said.clear()
        self.reads = 0

    def sent(self, session: str = S) -> list[int]:
        return [each.seq for each in self.said if isinstance(each, wire.Item) and each.session == session]

    def kinds(self) -> list[type]:
        return [type(each) for each in self.said]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_fresh_page_gets_everything_its_own_items_included(world: World) -> None:
    for sender in (0, 1, 0):
        world.store(sender=sender)
    world.drain.open({})
    await world.run()
    assert world.kinds() == [wire.ReceiveReady, wire.Item, wire.Item, wire.Item, wire.CaughtUp]


async def test_a_page_that_comes_back_gets_what_it_has_not_taken(world: World) -> None:
    for _ in range(4):
        world.store()
    world.drain.open({S: 3})
    await world.run()
    assert world.sent() == [4]


async def test_a_page_that_claims_more_than_there_is_gets_what_comes(world: World) -> None:
    world.store()
    world.drain.open({S: 99})
    await world.run()
    world.drain.push(*world.store())
    assert world.sent() == [2]


async def test_the_next_item_goes_out_from_memory(world: World) -> None:
    await world.open()
    assert world.drain.push(*world.store())
    assert world.sent() == [1]
    assert world.reads == 0


async def test_an_item_that_is_not_the_next_makes_it_read(world: World) -> None:
    await world.open()
    world.store()
    assert not world.drain.push(*world.store())
    assert world.sent() == []
    await world.run()
    assert world.sent() == [1, 2]


async def test_an_item_that_was_sent_is_not_sent_again(world: World) -> None:
    await world.open()
    push = world.store()
    assert world.drain.push(*push)
    assert world.drain.push(*push)
    world.drain.look([S])
    await world.run()
    assert world.sent() == [1]


async def test_own_items_are_passed_over_while_connected(world: World) -> None:
    await world.open()
    assert world.drain.push(*world.store(sender=0))
    assert world.drain.push(*world.store())
    world.store(sender=0)
    world.drain.look([S])
    await world.run()
    assert world.sent() == [2]


async def test_a_session_named_in_a_resync_is_sent_again_from_there(world: World) -> None:
    await world.open()
    for sender in (1, 0, 1):
        world.drain.push(*world.store(sender=sender))
    world.said.clear()
    world.drain.resync({S: 1})
    await world.run()
    assert world.sent() == [2, 3]
    assert world.kinds()[-1] is wire.CaughtUp


async def test_what_comes_while_a_resync_is_looked_at_is_sent_again_too(world: World) -> None:
    """The page has no use for it before it has the others."""
    await world.open()
    world.drain.push(*world.store())

    async def interrupted(*args: Any) -> mailbox.View:
        seen = await world.look(*args)
        if len(world.items[S]) == 1:
            world.drain.push(*world.store())
        return seen

    world.said.clear()
    world.drain.resync({S: 0})
    await world.drain.run(interrupted, world.after)
    assert world.sent() == [2, 1, 2]


async def test_a_resync_that_claims_more_than_there_is_asks_for_no_such_place(settings: Any) -> None:
    """PostgreSQL has none so high: to ask for it would fail what others ask for with it."""
    settings.LIMITS = replace(settings.LIMITS, window_items=1)
    world = World()
    for _ in range(2):
        world.store()
    await world.open()
    world.drain.resync({S: 2**32 - 1})
    asked = []

    async def after(session: str, cursor: int, limit: int) -> list[mailbox.Row]:
        asked.append(cursor)
        return await world.after(session, cursor, limit)

    await world.drain.run(world.look, after)
    assert max(asked) <= 2
    assert world.drain.push(*world.store())
    assert world.sent() == [3]


async def test_an_idle_resync_costs_one_look(world: World) -> None:
    world.store()
    await world.open()
    world.drain.resync({})
    await world.run()
    assert world.reads == 1
    assert world.kinds() == [wire.CaughtUp]


async def test_a_lost_hint_is_made_good_by_a_resync(world: World) -> None:
    await world.open()
    world.store()
    world.drain.resync({})
    await world.run()
    assert world.sent() == [1]


async def test_a_new_session_is_said_before_its_first_item(world: World) -> None:
    await world.open()
    world.items[T] = []
    assert not world.drain.push(*world.store(T))
    await world.run()
    assert world.kinds() == [wire.Session, wire.Item]


async def test_a_session_that_vanished_has_ended(world: World) -> None:
    await world.open()
    del world.items[S]
    world.drain.look_again()
    await world.run()
    assert world.said == [wire.Ended(S, "removed")]


async def test_why_a_session_ended_is_said_if_the_database_knows(world: World) -> None:
    await world.open()
    del world.items[S]
    world.ended = {S: "left"}
    world.drain.resync({})
    await world.run()
    assert world.said == [wire.Ended(S, "left"), wire.CaughtUp()]


async def test_an_end_is_said_once(world: World) -> None:
    await world.open()
    world.drain.end(S, "left")
    world.drain.end(S, "expired")
    world.drain.look_again()
    await world.run()
    assert world.said == [wire.Ended(S, "left")]


async def test_tombstones_are_said_after_ready(world: World) -> None:
    world.items = {}
    world.ended = {T: "declined"}
    world.drain.open({T: 1})
    await world.run()
    assert world.said == [wire.ReceiveReady([]), wire.Ended(T, "declined"), wire.CaughtUp()]


async def test_a_session_that_only_the_page_knows_has_ended(world: World) -> None:
    await world.open()
    world.drain.resync({T: 4})
    await world.run()
    assert world.said == [wire.Ended(T, "expired"), wire.CaughtUp()]


async def test_a_full_window_stops_and_taking_goes_on(settings: Any) -> None:
    settings.LIMITS = replace(settings.LIMITS, window_items=2)
    world = World()
    for _ in range(5):
        world.store()
    world.drain.open({})
    await world.run()
    assert world.sent() == [1, 2]
    assert world.drain.is_blocked
    assert wire.CaughtUp not in world.kinds()
    assert not world.drain.push(*world.store())
    assert world.drain.take(S, 2)
    await world.run()
    assert world.sent() == [1, 2, 3, 4]
    world.drain.take(S, 4)
    await world.run()
    assert world.sent() == [1, 2, 3, 4, 5, 6]
    assert world.kinds()[-1] is wire.CaughtUp


async def test_a_push_while_the_database_is_read_is_neither_lost_nor_doubled(world: World) -> None:
    await world.open()
    world.store()
    world.drain.look([S])

    async def slow(*args: Any) -> list[mailbox.Row]:
        result = await world.after(*args)
        if len(world.items[S]) == 1:
            world.drain.push(*world.store())
        return result

    await world.drain.run(world.look, slow)
    assert world.sent() == [1, 2]


async def test_of_what_another_process_stored_no_more_is_read_than_there_is(world: World) -> None:
    await world.open()
    for _ in range(3):
        world.store()
    asked = []

    async def after(session: str, cursor: int, limit: int) -> list[mailbox.Row]:
        asked.append((cursor, limit))
        return await world.after(session, cursor, limit)

    world.drain.hear(S, 2)
    world.drain.hear(S, 3)
    await world.drain.run(world.look, after)
    assert (world.sent(), asked) == ([1, 2, 3], [(0, 3)])
    world.drain.hear(S, 3)
    await world.drain.run(world.look, after)
    assert len(asked) == 1


async def test_no_more_is_read_than_fits_and_one(settings: Any) -> None:
    settings.LIMITS = replace(settings.LIMITS, window_items=64, window_bytes=8 * ITEM_BYTES)
    world = World()
    for _ in range(100):
        world.store()
    asked = []

    async def after(session: str, cursor: int, limit: int) -> list[mailbox.Row]:
        asked.append(limit)
        rows = await world.after(session, cursor, limit)
        return [msgspec.structs.replace(row, body=bytes(size)) for row in rows]

    size = ITEM_BYTES
    world.drain.open({})
    await world.drain.run(world.look, after)
    assert (world.sent(), asked) == ([*range(1, 9)], [9])
    asked.clear()
    size = 1
    world.drain.take(S, 8)
    await world.drain.run(world.look, after)
    assert (len(world.sent()), asked) == (8 + 64, [9, 64 - 9 + 1])


async def test_a_read_that_fails_is_done_again(world: World) -> None:
    world.store()

    async def broken(*_: Any) -> list[mailbox.Row]:
        raise ConnectionError

    world.drain.open({})
    with pytest.raises(ConnectionError):
        await world.drain.run(world.look, broken)
    await world.run()
    assert world.sent() == [1]


async def test_a_resync_while_part_is_looked_at_ends_nothing(world: World) -> None:
    world.items[T] = []
    world.store(T)
    await world.open(**{T: 1})

    async def interrupted(me: str, only: list[str] | None) -> mailbox.View:
        seen = await world.look(me, only)
        if only == [S]:
            world.drain.resync({T: 0})
        return seen

    world.drain.look([S])
    await world.drain.run(interrupted, world.after)
    assert world.kinds() == [wire.Item, wire.CaughtUp]
    assert world.sent(T) == [1]


async def test_a_session_that_is_newer_than_the_look_is_not_over(world: World) -> None:
    await world.open()

    async def interrupted(*args: Any) -> mailbox.View:
        seen = await world.look(*args)
        if T not in world.items:
            world.items[T] = []
            world.store(T)
            world.drain.resync({T: 0})
        return seen

    world.drain.look_again()
    await world.drain.run(interrupted, world.after)
    assert world.kinds() == [wire.Session, wire.Item, wire.CaughtUp]


async def test_a_resync_right_after_hello_is_done_before_caught_up(world: World) -> None:
    world.store()
    world.drain.open({S: 1})
    world.drain.resync({S: 0})
    await world.run()
    assert world.kinds() == [wire.ReceiveReady, wire.Item, wire.CaughtUp]


async def test_a_session_that_ends_while_a_read_fails_stops_nothing(world: World) -> None:
    await world.open()

    async def failing(*_: Any) -> list[mailbox.Row]:
        world.drain.end(S, "left")
        raise OperationalError

    world.store()
    world.drain.push(*world.store())
    with pytest.raises(OperationalError):
        await world.drain.run(world.look, failing)
    await world.run()
    assert world.kinds() == [wire.Ended]


async def test_nothing_is_said_before_the_page_is_known(world: World) -> None:
    world.drain.push(*world.store())
    world.drain.look([S])
    await world.run()
    assert world.said == []


HOWS = ["push", "look", "hear", "lost", "twice"]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("store"),
            st.sampled_from([0, 1]),
            st.sampled_from(HOWS),
        ),
        st.tuples(st.just("run"), st.just(0), st.just("")),
        st.tuples(st.just("take"), st.integers(0, 30), st.just("")),
    ),
    max_size=40,
)


@given(steps=STEPS)
async def test_whatever_is_lost_doubled_or_late_each_item_is_sent_once_in_order(steps: Any) -> None:
    world = World()
    world.drain.open({})
    await world.run()
    for what, number, how in steps:
        if what == "store":
            push = world.store(sender=number)
            if how in ("push", "twice"):
                world.drain.push(*push)
            if how in ("look", "twice"):
                world.drain.look([S])
            if how == "hear":
                world.drain.hear(S, len(world.items[S]))
        elif what == "run":
            await world.run()
        else:
            world.drain.take(S, number)
    world.drain.take(S, 999)
    world.drain.resync({})
    await world.run()
    assert world.sent() == [row.seq for row in world.items[S] if row.sender == 1]
