"""Two server processes and the Redis between them, which may die."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chat import wire
from chat.tests import people, servers
from chat.tests.pages import Socket, listener, receiver, sender
from chat.tests.people import Person


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[servers.Valkey]:
    valkey = servers.Valkey(tmp_path)
    valkey.start()
    yield valkey
    valkey.kill()


@pytest.fixture
def two(valkey: servers.Valkey, tmp_path: Path, transactional_db: None) -> Iterator[tuple[str, str]]:
    """The URLs of Daphne and uvicorn on one database and one Valkey."""
    with (
        servers.start("daphne", valkey.url, tmp_path) as first,
        servers.start("uvicorn", valkey.url, tmp_path) as second,
    ):
        yield first.url, second.url


def post(session: str, side: int, n: int) -> wire.Post:
    return wire.Post(session, n, people.make_message(session, side, n))


async def next_item(socket: Socket) -> wire.Item:
    """The next item, whatever is said before it."""
    while True:
        frame = await socket.read()
        if isinstance(frame, wire.Item):
            return frame


async def has_read(socket: Socket, seq: int) -> None:
    while (await next_item(socket)).seq < seq:
        pass


async def test_two_processes_deliver_to_each_other(
    two: tuple[str, str], alice: Person, bob: Person, session: str
) -> None:
    async with (
        sender(alice, two[0]) as alice_out,
        receiver(alice, two[0]) as alice_in,
        sender(bob, two[1]) as bob_out,
        receiver(bob, two[1]) as bob_in,
    ):
        await has_read(alice_in, 2)
        await has_read(bob_in, 2)
        for n in range(5):
            there, back = post(session, 0, n), post(session, 1, n)
            await alice_out.ask(there, wire.Stored)
            assert (await next_item(bob_in)).body == there.body
            await bob_out.ask(back, wire.Stored)
            assert (await next_item(alice_in)).body == back.body
        typing = people.make_volatile(session, 0)
        await alice_out.send(wire.Volatile(session, typing))
        assert (await bob_in.expect(wire.Volatile)).body == typing
        await alice_out.ask(wire.Leave(1, session), wire.Ok)
        assert await bob_in.expect(wire.Ended) == wire.Ended(session, "left")


async def test_a_newer_socket_at_another_process_wins(two: tuple[str, str], alice: Person) -> None:
    async with listener(alice, two[0]) as older, listener(alice, two[1]) as newer:
        assert await older.closed() == 4409
        assert await newer.is_silent()


@pytest.fixture
def guests(bob: Person) -> list[tuple[Person, str]]:
    """Some who talk with Bob, and their conversations."""
    met = [people.meet("a guest") for _ in range(5)]
    return [(guest, people.open_session(guest, bob)) for guest in met]


async def test_an_erasure_tells_a_page_at_another_process(
    two: tuple[str, str], bob: Person, guests: list[tuple[Person, str]]
) -> None:
    """A second at most is waited for the other process to say so: on a busy machine it takes a few tries."""
    async with receiver(bob, two[1]) as into:
        while not isinstance(await into.read(), wire.CaughtUp):
            pass
        for guest, session in guests:
            async with sender(guest, two[0]) as out:
                erased = await out.ask(wire.Erase(1), wire.Erased)
            assert erased.peers == 1
            assert await into.expect(wire.Ended) == wire.Ended(session, "erased")
            if erased.told:
                return
    pytest.fail("the other process never said so in time")


async def test_redis_may_die_and_come_back(
    two: tuple[str, str], valkey: servers.Valkey, alice: Person, bob: Person, session: str
) -> None:
    async with (
        sender(alice, two[0]) as out,
        receiver(bob, two[1]) as into,
    ):
        await has_read(into, 2)
        await into.expect(wire.CaughtUp)
        await out.ask(post(session, 0, 0), wire.Stored)
        assert (await next_item(into)).seq == 3

        valkey.kill()
        await out.ask(post(session, 0, 1), wire.Stored)
        await into.send(wire.Resync({}))
        assert (await next_item(into)).seq == 4
        await into.expect(wire.CaughtUp)
        await out.ask(post(session, 0, 2), wire.Stored)
        async with sender(bob, two[0]) as same, receiver(alice, two[0]) as at_home:
            await has_read(at_home, 5)
            await at_home.expect(wire.CaughtUp)
            await same.ask(post(session, 1, 0), wire.Stored)
            assert (await next_item(at_home)).seq == 6

        valkey.start()
        assert (await next_item(into)).seq == 5
        await out.ask(post(session, 0, 3), wire.Stored)
        assert (await next_item(into)).seq == 7
