"""A real server behind somebody who meddles: what is noticed, and what the person is told."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reference import trouble, wire
from reference.notices import EndedAway, Request
from reference.tests import people
from reference.tests.conftest import MakeClient
from reference.tests.meddler import Meddler, swap
from reference.tests.meeting import ended, heard, meet, opened, texts

Change = Callable[[wire.Frame], list[wire.Frame]]


def flip(body: bytes, at: int = -1) -> bytes:
    """The bytes with one bit changed."""
    changed = bytearray(body)
    changed[at] ^= 1
    return bytes(changed)


def messages(change: Callable[[wire.Item], list[wire.Frame]]) -> Change:
    """Meddle with stored messages alone."""

    def into(frame: wire.Frame) -> list[wire.Frame]:
        return change(frame) if isinstance(frame, wire.Item) and frame.kind == "message" else [frame]

    return into


async def test_another_key_under_a_code_is_refused(make_client: MakeClient) -> None:
    mallory = people.mallory()

    def swap_key(frame: wire.Frame) -> list[wire.Frame]:
        return [swap(frame, modulus=mallory.modulus)] if isinstance(frame, wire.Key) else [frame]

    alice, bob = await make_client(), await make_client(meddle=Meddler(into=swap_key))
    link = await alice.link()
    with pytest.raises(trouble.Broken, match="a key that does not belong to this code"):
        await bob.join(link)


async def test_a_changed_answer_ends_the_attempt_in_words(make_client: MakeClient) -> None:
    def spoil(frame: wire.Frame) -> list[wire.Frame]:
        is_answer = isinstance(frame, wire.Item) and frame.kind == "answer"
        return [swap(frame, body=flip(frame.body))] if is_answer else [frame]  # type: ignore[attr-defined]

    meddler = Meddler(into=spoil)
    alice, bob = await make_client(), await make_client(meddle=meddler)
    with pytest.raises(trouble.Broken, match="the answer did not come from the one who gave"):
        await bob.join(await alice.link())
    assert meddler.posts() == []


async def test_repeated_messages_are_shown_once(make_client: MakeClient) -> None:
    thrice = Meddler(into=messages(lambda item: [item, item, item]))
    alice, bob = await meet(await make_client(), await make_client(meddle=thrice))
    for number in range(5):
        await alice.say(str(number))
    await heard(bob, *map(str, range(5)))
    await bob.say("done")
    await heard(alice, "done")
    assert texts(bob) == [*map(str, range(5)), "done"]


@pytest.mark.parametrize("spoil", [True, False])
async def test_a_message_that_was_withheld_or_spoiled_once_is_fetched_again(
    make_client: MakeClient, spoil: bool
) -> None:
    met: set[int] = set()

    def once(item: wire.Item) -> list[wire.Frame]:
        if item.seq in met:
            return [item]
        met.add(item.seq)
        return [swap(item, body=flip(item.body))] if spoil else []

    meddler = Meddler()
    alice, bob = await meet(await make_client(), await make_client(meddle=meddler))
    await alice.say("before")
    await heard(bob, "before")
    meddler.into = messages(once)
    for number in range(4):
        await alice.say(str(number))
    await meddler.until(lambda: len(met) >= 4)
    meddler.into = lambda frame: [frame]
    await alice.say("the last")
    await heard(bob, "0", "1", "2", "3", "the last")


async def test_an_end_that_the_server_says_is_said_to_be_the_servers(make_client: MakeClient) -> None:
    meddler = Meddler()
    alice, bob = await meet(await make_client(), await make_client(meddle=meddler))
    session = bob.session
    meddler.into = lambda frame: [frame, wire.Ended(session, "left")]
    await alice.say("anything")
    await ended(bob)
    assert "says the server" in str(bob.over)


async def test_a_session_that_the_server_leaves_out_is_over(make_client: MakeClient) -> None:
    meddler = Meddler()
    alice, bob = await meet(await make_client(), await make_client(meddle=meddler))

    def leave_out(frame: wire.Frame) -> list[wire.Frame]:
        return [swap(frame, sessions=[])] if isinstance(frame, wire.ReceiveReady) else [frame]

    meddler.into = leave_out
    await meddler.cut()
    await ended(bob)
    assert isinstance(bob.over, trouble.Removed)
    assert alice.is_open


@pytest.mark.parametrize("field", [0, 1, 5, 40, 80, 600, 1700, 2060])
async def test_an_offer_that_was_changed_gets_no_sign(make_client: MakeClient, field: int) -> None:
    """Each part of it: version, kind, both hashes, the key, the fresh key, the secret, the invite."""

    first: list[str] = []

    def spoil_first(frame: wire.Frame) -> list[wire.Frame]:
        if isinstance(frame, wire.Item) and frame.session in first:
            return [swap(frame, body=flip(frame.body, field))]
        return [frame]

    meddler = Meddler(into=spoil_first)
    alice, bob = await make_client(meddle=meddler), await make_client()
    link, other = await alice.link(), await alice.link()

    def note(frame: wire.Frame) -> list[wire.Frame]:
        if isinstance(frame, wire.Prepare):  # it comes before the offer
            first.append(frame.session)
        return [frame]

    mallory = await make_client(meddle=Meddler(out=note))
    talk = await mallory.offer(link)
    assert talk.session in first
    assert (await bob.join(other)).is_open

    def said() -> set[str]:
        about = [frame for frame in meddler.sent if getattr(frame, "session", None) == talk.session]
        return {frame.why if isinstance(frame, wire.Decline) else type(frame).__name__ for frame in about}

    await meddler.until(lambda: said() == {"unread", "Taken"})
    assert talk.session not in [each.session for each in alice.talks()]


async def test_an_offer_that_is_replayed_is_never_processed_again(make_client: MakeClient) -> None:
    offers: list[wire.Frame] = []

    def keep(frame: wire.Frame) -> list[wire.Frame]:
        if isinstance(frame, wire.Item) and frame.kind == "offer":
            offers.append(frame)
        return [frame]

    meddler = Meddler(into=keep)
    alice, bob = await make_client(meddle=meddler), await make_client()
    asking = asyncio.create_task(bob.join(alice.code))
    async for request in alice.requests():
        request.decline()
        break
    with pytest.raises(trouble.Declined):
        await asking
    meddler.into = lambda frame: [*offers, frame]
    await bob.offer(alice.code)
    async for notice in alice.notices():
        if isinstance(notice, Request):
            assert notice.session != offers[0].session  # type: ignore[attr-defined]
            break


async def test_an_offer_under_another_session_gets_no_sign(make_client: MakeClient) -> None:
    other = "A" * 43

    def rename(frame: wire.Frame) -> list[wire.Frame]:
        is_offer = isinstance(frame, wire.Item) and frame.kind == "offer"
        return [swap(frame, session=other), frame] if is_offer else [frame]

    meddler = Meddler(into=rename)
    alice, bob = await make_client(meddle=meddler), await make_client()
    talk = await bob.offer(alice.code)
    async for request in alice.requests():
        assert request.session == talk.session
        break
    assert [frame for frame in meddler.sent if getattr(frame, "session", "") == other] == [
        wire.Taken(other, 1)
    ]


async def test_a_hello_under_a_link_that_is_no_more_is_never_taken(make_client: MakeClient) -> None:
    meddler = Meddler()
    alice, bob = await make_client(meddle=meddler), await make_client()
    link = await alice.link()

    def age(item: wire.Item) -> list[wire.Frame]:
        alice._engine.door._links.clear()  # its day is over when the hello comes
        meddler.into = lambda frame: [frame]
        return [item]

    meddler.into = messages(age)
    talk = await bob.offer(link)
    await meddler.until(lambda: any(isinstance(frame, wire.Answer) for frame in meddler.sent))
    await meddler.until(lambda: not alice._engine.door._links)
    other = await bob.join(await alice.link())
    assert [each.session for each in alice.talks()] == [other.session]
    assert not talk.is_open


async def test_an_old_copy_of_the_state_is_noticed_before_anything_is_sent(
    make_client: MakeClient, tmp_path: Path
) -> None:
    alice, bob = await make_client(), await make_client(state=tmp_path / "bob")
    mine, theirs = await meet(alice, bob)
    await theirs.say("one")
    await heard(mine, "one")
    await bob.__aexit__(None, None, None)
    shutil.copytree(tmp_path / "bob", tmp_path / "copy")
    again = await make_client(state=tmp_path / "bob")
    theirs = await opened(again)
    await theirs.say("two")
    await heard(mine, "two")
    await again.__aexit__(None, None, None)
    meddler = Meddler()
    old = await make_client(state=tmp_path / "copy", meddle=meddler)
    async for notice in old.notices():
        if isinstance(notice, EndedAway):
            assert "older copy" in str(notice.over)
            break
    assert meddler.posts() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda item: [swap(item, body=flip(item.body))], "other bytes for an earlier message"),
        (lambda item: [], "does not have all of it any more"),
    ],
    ids=["changed", "forgotten"],
)
async def test_a_past_that_the_server_changes_is_noticed(
    make_client: MakeClient, tmp_path: Path, change: Any, said: str
) -> None:
    alice, bob = await make_client(), await make_client(state=tmp_path)
    mine, theirs = await meet(alice, bob)
    for number in range(3):
        await mine.say(str(number))
        await heard(theirs, str(number))
    await bob.__aexit__(None, None, None)
    meddler = Meddler(into=messages(lambda item: change(item) if item.seq == 5 else [item]))
    again = await make_client(state=tmp_path, meddle=meddler)
    async for notice in again.notices():
        if isinstance(notice, EndedAway):
            assert isinstance(notice.over, trouble.Broken)
            assert said in str(notice.over)
            break
    assert meddler.posts() == []


async def test_the_past_is_read_again_over_a_connection_that_breaks(
    make_client: MakeClient, tmp_path: Path
) -> None:
    alice, bob = await make_client(), await make_client(state=tmp_path)
    mine, theirs = await meet(alice, bob)
    for number in range(4):
        await mine.say(str(number))
        await heard(theirs, str(number))
    await bob.__aexit__(None, None, None)
    meddler = Meddler()

    def break_off(item: wire.Item) -> list[wire.Frame]:
        if item.seq == 6:
            meddler.into = lambda frame: [frame]
            for connection in meddler.connections:
                connection.transport.abort()
            meddler.connections.clear()
        return [item]

    meddler.into = messages(break_off)
    again = await opened(await make_client(state=tmp_path, meddle=meddler))
    assert texts(again) == ["0", "1", "2", "3"]


async def test_frames_that_are_none_cost_the_connection_and_nothing_else(make_client: MakeClient) -> None:
    meddler = Meddler()
    alice, bob = await meet(await make_client(), await make_client(meddle=meddler))

    def mangle(frame: wire.Frame) -> list[wire.Frame]:
        meddler.into = lambda frame: [frame]
        return [wire.Erase(1)]  # good on the other socket, in the other direction

    meddler.into = mangle
    await alice.say("through")
    await heard(bob, "through")
    await bob.say("and back")
    await heard(alice, "and back")
