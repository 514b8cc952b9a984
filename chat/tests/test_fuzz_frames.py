"""Whatever is sent on a socket: the server answers it in the words of the wire, or closes that socket alone.

Alice and Bob talk meanwhile. After each thing that Mallory sends: no error is logged, what was refused has
changed nothing in any table, nothing of Alice's and Bob's conversation has changed, and their sockets work.
`FUZZ_RUNS=20000 pytest chat/tests/test_fuzz_frames.py` is the large run.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import pytest
from channels.testing import WebsocketCommunicator
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from chat import erasure, errors, hints, limits, node, sessions, wire
from chat.models import Item, SealHalf, Session
from chat.tests import fuzz, people
from chat.tests.pages import DEADLINE_SECONDS, Closed, InProcess, Socket
from chat.tests.people import Person
from chat.tests.servers import ORIGIN
from messenger.asgi import application
from messenger.tests.fuzz import digest, no_trouble, runs

T = TypeVar("T")
PING = 4_000_000_001
NAMES = ("send", "receive")


class Pipe(InProcess):
    """As a server hands over what came: an empty frame is one too."""

    async def send(self, data: bytes) -> None:
        await self._communicator.send_input({"type": "websocket.receive", "bytes": data})

    async def send_text(self, text: str) -> None:
        await self._communicator.send_input({"type": "websocket.receive", "text": text})


class World:
    """Alice and Bob with their sockets, and Mallory's, on one loop; between two runs it stands still."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.alice, self.bob = people.meet("Alice"), people.meet("Bob")
        self.theirs = people.open_session(self.alice, self.bob)
        self.sockets = {
            (who.name, name): self.open(name, who) for who in (self.alice, self.bob) for name in NAMES
        }
        self.mallory = self.alice
        self.hers: list[str] = []
        self.offers: list[bytes] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def in_time() -> T:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await work

        return self._runner.run(in_time())

    def open(self, name: str, who: Person | None = None) -> Socket:
        """A socket of the real application, logged in as somebody."""
        return self.run(self._open(name, who))

    async def _open(self, name: str, who: Person | None) -> Socket:
        client = WebsocketCommunicator(application, f"/ws/{name}/", headers=[(b"origin", ORIGIN.encode())])
        assert (await client.connect(timeout=DEADLINE_SECONDS))[0]
        socket = Socket(name, Pipe(client))
        if who is not None:
            await socket.send(hello(name, who))
            if name == "receive":  # what it says when it has begun is no answer to the question
                await until_answered(socket)
            await settled(socket)
        return socket

    def close(self, socket: Socket) -> None:
        self.run(socket.pipe.close())

    def invite(self) -> None:
        """A new Mallory. Of her conversations one is open, one over, one offered to her and one by her."""
        if self.mallory is not self.alice:
            erasure.erase(self.mallory.hash)
        mallory = self.mallory = people.meet("Mallory")
        over = people.open_session(mallory, self.bob)
        sessions.leave(mallory.hash, over)
        self.offers = [people.make_offer(mallory, self.alice), people.make_offer(self.bob, mallory)]
        sessions.offer(mallory.hash, self.offers[0])
        sessions.offer(self.bob.hash, self.offers[1])
        opened = people.open_session(mallory, self.bob)
        self.hers = [opened, over, *map(people.session_of, self.offers)]

    def belongings(self) -> str:
        """What is stored of the conversation of Alice and Bob."""
        both = [self.alice.hash, self.bob.hash]
        rows = [
            list(Session.objects.filter(id=self.theirs).values_list()),
            [(*row[:-2], bytes(row[-2])) for row in Item.objects.filter(session=self.theirs).values_list()],
            [
                bytes(row.half)
                for row in SealHalf.objects.filter(session_id=self.theirs, participant__in=both).order_by(
                    "id"
                )
            ],
        ]
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def works(self) -> None:
        """All sockets of Alice and Bob still answer, and what one types is shown to the other."""
        for socket in self.sockets.values():
            self.run(settled(socket))
        self.run(self._type())

    async def _type(self) -> None:
        typed = wire.Volatile(self.theirs, people.make_volatile(self.theirs, 0))
        await self.sockets["Alice", "send"].send(typed)
        while await self.sockets["Bob", "receive"].read() != typed:
            pass


def hello(name: str, who: Person) -> wire.Frame:
    return wire.SendHello(who.token) if name == "send" else wire.ReceiveHello(who.token, {})


async def settled(socket: Socket) -> list[Any]:
    """Take all that came, until the server has answered a question that is put now."""
    is_send = socket.name == "send"
    await socket.send(wire.Lookup(PING, fuzz.UNKNOWN) if is_send else wire.Resync({}))
    return await until_answered(socket)


async def until_answered(socket: Socket) -> list[Any]:
    """What comes, the answer with it."""
    heard: list[Any] = []
    while True:
        frame = await socket.read()
        heard.append(frame)
        if isinstance(frame, wire.Item):
            await socket.send(wire.Taken(frame.session, frame.seq))
        if isinstance(frame, wire.CaughtUp) or getattr(frame, "id", None) == PING:
            return heard


async def until_closed(socket: Socket) -> tuple[list[str], int]:
    """The codes of the errors that are said on it, and the code of its end."""
    said: list[str] = []
    while True:
        try:
            frame = await socket.read()
        except Closed as closed:
            return said, closed.code
        if isinstance(frame, wire.Error):
            said.append(frame.code)


@pytest.fixture
def world(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The limits on how much, how often and how long are out of the way: they have tests of their own."""
    for name in ("posts_burst", "volatile_per_second", "sessions", "requests", "sockets_per_address"):
        settings.LIMITS = replace(settings.LIMITS, **{name: 1_000_000})
    settings.SWEEP_SECONDS = 1_000_000
    settings.TTL_SECONDS = settings.TTL_MAX_SECONDS  # a large run takes longer than a quarter of an hour
    monkeypatch.setattr(hints, "LAYER_SECONDS", DEADLINE_SECONDS)  # the loop stands still between two runs
    monkeypatch.setattr(limits, "FRAMES_BURST", 1e9)
    with asyncio.Runner() as runner, no_trouble():
        world = World(runner)
        yield world
        for socket in world.sockets.values():
            world.close(socket)
        runner.run(node.stop())


# --- what is no frame -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("logged_in", [True, False])
def test_a_frame_with_one_thing_wrong_changes_nothing_and_closes_its_socket_alone(
    world: World, name: str, logged_in: bool
) -> None:
    @runs(25)
    @given(fuzz.spoiled(name))
    def tried(data: bytes) -> None:
        refused(world, name, logged_in, data)

    world.invite()
    tried()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("logged_in", [True, False])
def test_any_other_bytes_change_nothing_and_close_their_socket_alone(
    world: World, name: str, logged_in: bool
) -> None:
    @runs(20)
    @given(fuzz.junk())
    def tried(data: bytes) -> None:
        refused(world, name, logged_in, data)

    world.invite()
    tried()


def refused(world: World, name: str, logged_in: bool, data: bytes) -> None:
    """Mallory sends these bytes, which are no frame."""
    socket = world.open(name, world.mallory if logged_in else None)
    before = digest()  # to come back is noted, once a minute
    world.run(socket.pipe.send(data))
    expected = ("too_big", 4413) if len(data) > 32 * 1024 else ("bad_frame", 4400)
    assert world.run(until_closed(socket)) == ([expected[0]], expected[1])
    world.close(socket)
    assert digest() == before
    world.works()


@pytest.mark.parametrize("name", NAMES)
def test_text_is_no_frame(world: World, name: str) -> None:
    @runs(10)
    @given(st.text())
    def tried(text: str) -> None:
        socket = world.open(name, world.mallory)
        assert isinstance(socket.pipe, Pipe)
        world.run(socket.pipe.send_text(text))
        assert world.run(until_closed(socket)) == (["bad_frame"], 4400)
        world.close(socket)
        world.works()

    world.invite()
    tried()


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_is_read_alike_however_it_is_written(name: str) -> None:
    """Members in another order, in longer forms than they need, or one before it that it replaces."""
    decode: Any = wire.decode_send if name == "send" else wire.decode_receive

    @runs(100)
    @given(st.data())
    def tried(data: DataObject) -> None:
        kind = data.draw(st.sampled_from(fuzz.kinds(name)))
        frame = data.draw(fuzz.frames(kind))
        other = data.draw(fuzz.frames(kind))
        plain = decode(fuzz.pack(frame))
        assert msgspec.to_builtins(plain, builtin_types=(bytes,)) == frame
        pairs = data.draw(st.permutations(list(frame.items())))
        assert decode(fuzz.pack_pairs(pairs, wide=True)) == plain
        assert decode(fuzz.pack_pairs([*other.items(), *pairs])) == plain

    tried()


def test_every_way_of_spoiling_a_frame_is_noticed() -> None:
    """Without the server: many more of them."""

    @runs(200)
    @given(st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), fuzz.spoiled(name))))
    def tried(case: tuple[str, bytes]) -> None:
        with pytest.raises(errors.BadFrame):
            (wire.decode_send if case[0] == "send" else wire.decode_receive)(case[1])

    tried()


# --- frames in the wrong order, of the wrong person, at the wrong time ----------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_frames_before_hello_are_not_served(world: World, name: str) -> None:
    @runs(15)
    @given(st.data())
    def tried(data: DataObject) -> None:
        frame = data.draw(frames(world, name))
        before = digest()
        socket = world.open(name)
        world.run(socket.pipe.send(fuzz.pack(frame)))
        expected = [] if frame.get("token") == world.mallory.token else ["not_logged_in"]
        if expected:
            assert world.run(until_closed(socket)) == (expected, 4401)
        world.close(socket)
        assert digest() == before
        world.works()

    world.invite()
    tried()


@pytest.mark.parametrize("name", NAMES)
def test_whatever_frames_mallory_sends_in_whatever_order_what_others_have_stays(
    world: World, name: str
) -> None:
    @runs(30)
    @given(st.data())
    def tried(data: DataObject) -> None:
        world.invite()
        kept = world.belongings()
        socket = world.open(name, world.mallory)
        for frame in data.draw(st.lists(frames(world, name), min_size=1, max_size=5)):
            if not serve(world, socket, frame):
                break
        with contextlib.suppress(Closed):
            world.close(socket)
        assert world.belongings() == kept
        world.works()

    tried()


def serve(world: World, socket: Socket, frame: fuzz.Map) -> bool:
    """Mallory sends a frame of the wire; whether her socket is open afterwards, as it must be."""
    before = digest()
    world.run(socket.pipe.send(fuzz.pack(frame)))
    if frame["t"] == "hello":
        assert world.run(until_closed(socket)) == (["bad_frame"], 4400)
        assert digest() == before
        return False
    answers = world.run(answered(socket, frame))
    refusals = [answer for answer in answers if isinstance(answer, wire.Error)]
    assert [refusal for refusal in refusals if refusal.code not in REFUSALS.get(frame["t"], ANY)] == []
    if refusals or socket.name == "receive":
        assert digest() == before
    return True


ANY = {error.code for error in errors.Refused.__subclasses__()} - {"bad_frame", "too_big"}
ANY |= {error.code for error in errors.Later.__subclasses__()} - {"unavailable", "too_fast"}
REFUSALS = {"keep": ANY | {"bad_frame"}}  # a time outside of the operator's bounds


async def answered(socket: Socket, frame: fuzz.Map) -> list[Any]:
    """What is said to a frame, without the answer to the question after it."""
    heard = (await settled(socket))[:-1]
    if frame["t"] == "post" and not heard:  # the writer answers by itself
        heard = [await socket.read()]
    if socket.name == "send":
        assert len(heard) == (0 if frame["t"] == "volatile" and not heard else 1), heard
    return heard


# --- frames that Mallory may know how to make -----------------------------------------------------------


def frames(world: World, name: str) -> SearchStrategy[fuzz.Map]:
    """Frames of this socket whose names and bodies often mean something in this world."""

    def override(member: str, kind: Any) -> SearchStrategy[Any] | None:
        match member:
            case "token":
                return st.sampled_from([world.mallory.token, fuzz.UNKNOWN])
            case "session":
                return known(world) | fuzz.values(kind)
            case "hash":
                return st.sampled_from([world.alice.hash, world.bob.hash, world.mallory.hash])
            case "cursors":
                return st.dictionaries(known(world), st.integers(0, 4) | st.just(2**32 - 1), max_size=6)
            case "body":
                return bodies(world)
            case "n" | "seq":
                return st.integers(0, 3) | fuzz.values(kind)
        return None

    kinds = st.sampled_from(fuzz.kinds(name))
    return kinds.flatmap(lambda kind: fuzz.frames(kind, override)).flatmap(lambda it: fitting(world, it))


def known(world: World) -> SearchStrategy[str]:
    return st.sampled_from([world.theirs, *world.hers])


def bodies(world: World) -> SearchStrategy[bytes]:
    """Envelopes of every kind, true in all that the server can see, or with some bytes changed."""
    sides, counts = st.sampled_from([0, 1]), st.integers(0, 3) | st.sampled_from([2**31, 2**32 - 1])
    people_ = st.sampled_from([world.alice, world.bob, world.mallory])
    true = st.one_of(
        st.builds(people.make_message, known(world), sides, counts, step=st.booleans()),
        st.builds(people.make_volatile, known(world), sides),
        st.builds(people.make_answer, known(world)),
        st.builds(people.make_offer, people_, people_, st.booleans()),
        st.sampled_from(world.offers),
    )
    return true | st.tuples(true, st.integers(0, 80), st.binary(max_size=4)).map(
        lambda it: it[0][: it[1]] + it[2] + it[0][it[1] + len(it[2]) :]
    )


def fitting(world: World, frame: fuzz.Map) -> SearchStrategy[fuzz.Map]:
    """The frame, or one whose body says the same as its other members."""
    if frame["t"] == "post":
        made = st.builds(
            people.make_message, st.just(frame["session"]), st.sampled_from([0, 1]), st.just(frame["n"])
        )
    elif frame["t"] == "answer":
        made = st.builds(people.make_answer, st.just(frame["session"]))
    elif frame["t"] == "volatile":
        made = st.builds(people.make_volatile, st.just(frame["session"]), st.sampled_from([0, 1]))
    elif frame["t"] == "offer":
        made = st.sampled_from(world.offers)
    else:
        return st.just(frame)
    return st.just(frame) | made.map(lambda body: {**frame, "body": body})
