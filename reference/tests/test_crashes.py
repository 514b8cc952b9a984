"""A client that stops between any two steps of handshake, send and receive (PROTOCOL §10.5), and comes back.

What it wrote down is on the disk, what it did not send was never sent: a crash here is an exception right
after a commit or in the place of a frame. `test_main` kills real processes at some of these points.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from reference import wire
from reference.client import Client
from reference.store import Write
from reference.talk import Talk
from reference.tests.conftest import MakeClient
from reference.tests.meeting import ended, opened, texts

# As many as there are in every order in which the two may speak.
GUEST_POINTS = [*(("commit", number) for number in range(1, 8)), *(("say", number) for number in range(1, 7))]
OWNER_POINTS = [*(("commit", number) for number in range(1, 6)), *(("say", number) for number in range(1, 7))]


class Crash(Exception):
    """The process is no more."""


def crash_at(client: Client, place: str, number: int) -> None:
    """Let the client crash right after its next so-many-th commit, or in place of sending that frame."""
    engine, count = client._engine, 0

    def happens(where: str) -> bool:
        nonlocal count
        count += where == place
        return where == place and count >= number

    commit, say = engine.store.commit, engine.say

    def committed(writes: Iterable[Write]) -> None:
        listed = list(writes)
        commit(listed)
        if listed and happens("commit"):
            raise Crash

    def said(session: str, frame: wire.Frame) -> None:
        if happens("say"):
            raise Crash
        say(session, frame)

    engine.store.commit = committed  # type: ignore[method-assign]
    engine.say = said  # type: ignore[method-assign]


async def converse(talk: Talk, mine: str, theirs: str) -> None:
    """Say what was not said, hear what was not heard."""
    await talk.wait(lambda: talk.is_open)
    if mine not in texts(talk):
        await talk.say(mine)
    await talk.wait(lambda: theirs in texts(talk) and not talk.state.outbox.waiting)


async def owner(client: Client) -> Talk:
    talk = await opened(client)
    await converse(talk, "from alice", "from bob")
    return talk


async def guest(client: Client, link: str) -> Talk:
    talk = next(iter(client.talks()), None) or await client.offer(link)
    await converse(talk, "from bob", "from alice")
    return talk


async def meet_in_the_end(alice: asyncio.Task[Talk], bob: asyncio.Task[Talk]) -> None:
    """Both have both texts, once; and it goes on."""
    mine, theirs = await alice, await bob
    assert sorted(texts(mine)) == sorted(texts(theirs)) == ["from alice", "from bob"]
    await theirs.leave()
    await ended(mine)
    assert "has left" in str(mine.over)


@pytest.mark.parametrize(("place", "number"), GUEST_POINTS)
async def test_a_guest_comes_back_from_any_point(
    make_client: MakeClient, tmp_path: Path, place: str, number: int
) -> None:
    alice, bob = await make_client(), await make_client(state=tmp_path)
    link = await alice.link()
    waiting = asyncio.create_task(owner(alice))
    crash_at(bob, place, number)
    with pytest.raises(Crash):
        await (await guest(bob, link)).wait(lambda: False)
    await bob.__aexit__(None, None, None)
    again = await make_client(state=tmp_path)
    assert len(again.talks()) == 1  # the same attempt, not another one
    await meet_in_the_end(waiting, asyncio.create_task(guest(again, link)))


@pytest.mark.parametrize(("place", "number"), OWNER_POINTS)
async def test_an_owner_comes_back_from_any_point(
    make_client: MakeClient, tmp_path: Path, place: str, number: int
) -> None:
    alice, bob = await make_client(state=tmp_path), await make_client()
    link = await alice.link()
    crash_at(alice, place, number)
    waiting = asyncio.create_task(guest(bob, link))
    with pytest.raises(Crash):
        await (await owner(alice)).wait(lambda: False)
    await alice.__aexit__(None, None, None)
    again = await make_client(state=tmp_path)
    await meet_in_the_end(asyncio.create_task(owner(again)), waiting)
