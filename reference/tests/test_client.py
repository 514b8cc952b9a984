"""Clients that talk through the real server."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from e2e.stack import Stack
from reference import clock, engine, trouble, wire
from reference.client import Client
from reference.conversation import TimerSet, TypingSeen
from reference.notices import LinkTried, Online, Request, RequestGone
from reference.tests.conftest import MakeClient
from reference.tests.meddler import Meddler
from reference.tests.meeting import delivered, ended, first, heard, meet, opened, texts

ECHO = Path(__file__).resolve().parents[1] / "examples" / "echo.py"


async def test_two_meet_by_a_link_and_talk_in_turns(make_client: MakeClient) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    for turn in range(4):
        await alice.say(f"question {turn}")
        await alice.say("?")
        await heard(bob, f"question {turn}", "?")
        await bob.say(f"answer {turn}")
        await heard(alice, f"answer {turn}")
    await delivered(alice)
    await delivered(bob)
    assert sorted(texts(alice)) == sorted(texts(bob))
    assert alice.name == "Bob"


async def test_both_sides_compute_the_same_safety_number(make_client: MakeClient) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    assert alice.safety_number() == bob.safety_number()
    assert alice.is_verified
    assert bob.is_verified


async def test_what_is_said_at_once_arrives_once_and_in_order(make_client: MakeClient) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    said = [f"line {number}" for number in range(70)]  # more than the server takes at once

    async def speak() -> None:
        for text in said:
            await alice.say(text)

    speaking = asyncio.create_task(speak())
    await heard(bob, *said)
    await speaking


async def test_an_accepted_request_is_a_conversation_that_is_not_verified(make_client: MakeClient) -> None:
    alice, bob = await make_client(), await make_client()
    asking = asyncio.create_task(bob.join(alice.code))
    async for request in alice.requests():
        assert request.peer == bob.code
        request.accept()
        break
    theirs, mine = await asking, await opened(alice)
    assert not theirs.is_verified
    assert not mine.is_verified
    mine.compared()
    assert mine.is_verified
    await theirs.say("thank you")
    await heard(mine, "thank you")


async def test_a_declined_request_is_told_so_and_nobody_hears_more(make_client: MakeClient) -> None:
    alice, bob = await make_client(), await make_client()
    asking = asyncio.create_task(bob.join(alice.code))
    async for request in alice.requests():
        request.decline()
        request.accept()
        break
    with pytest.raises(trouble.Declined):
        await asking
    assert alice.talks() == []


async def test_a_no_reaches_the_other_though_one_goes_away_at_once(make_client: MakeClient, url: str) -> None:
    bob = await make_client()
    async with Client(url) as alice:
        asking = asyncio.create_task(bob.join(alice.code))
        async for request in alice.requests():
            request.decline()
            break
    with pytest.raises(trouble.Declined):
        await asking


async def test_a_request_that_is_given_up_is_taken_off_the_list(make_client: MakeClient) -> None:
    alice, bob = await make_client(), await make_client()
    talk = await bob.offer(alice.code)
    notices = alice.notices()
    async for notice in notices:
        if isinstance(notice, Request):
            await talk.leave()
        if isinstance(notice, RequestGone):
            break


async def test_a_third_person_with_a_used_link_is_turned_away_and_the_owner_is_told(
    make_client: MakeClient,
) -> None:
    alice, bob, mallory = await make_client(), await make_client(), await make_client()
    link = await alice.link("for Bob")
    await bob.join(link)
    with pytest.raises(trouble.LinkUsed):
        await mallory.join(link)
    async for notice in alice.notices():
        if isinstance(notice, LinkTried):
            assert notice.name == "for Bob"
            break
    assert len(alice.talks()) == 1
    assert alice.open_links() == []


async def test_of_two_who_hold_a_link_the_second_one_to_greet_is_turned_away(make_client: MakeClient) -> None:
    greets = asyncio.Event()

    def hold_the_hello(frame: wire.Frame) -> list[wire.Frame]:
        if isinstance(frame, wire.Post):
            greets.set()
            return []
        return [frame]

    alice, bob = await make_client(), await make_client()
    mallory = await make_client(meddle=Meddler(out=hold_the_hello))
    link = await alice.link()
    second = await mallory.offer(link)
    await greets.wait()  # Mallory holds a verified answer
    first = await bob.join(link)
    await ended(second)
    assert isinstance(second.over, trouble.LinkUsed)
    assert first.is_open


async def test_nobody_comes_in_by_a_link_that_was_taken_back(make_client: MakeClient) -> None:
    alice, bob = await make_client(), await make_client()
    link = await alice.link()
    alice.withdraw(link)
    talk = await bob.offer(link)
    other = await bob.join(await alice.link())  # Alice has seen the first offer when she answers this one
    assert other.is_open
    assert not talk.is_open
    assert [each.session for each in alice.talks()] == [other.session]


async def test_nobody_has_this_code(make_client: MakeClient) -> None:
    with pytest.raises(trouble.Unknown):
        await (await make_client()).join("A" * 43)


async def test_ones_own_link_is_not_joined(make_client: MakeClient) -> None:
    alice = await make_client()
    with pytest.raises(trouble.BadLink):
        await alice.join(await alice.link())


async def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(trouble.Unreachable, match="can't be reached"):
        async with Client("http://localhost:1"):
            pass


async def test_who_leaves_ends_it_for_both(make_client: MakeClient) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    await bob.say("good night")
    await bob.leave()
    await heard(alice, "good night")
    await ended(alice)
    assert "has left" in str(alice.over)
    with pytest.raises(trouble.Left):
        await alice.say("are you there?")


async def test_typing_is_shown_and_no_more(make_client: MakeClient) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    bob.typing(True)
    await alice.wait(lambda: alice.state.typing_until is not None)
    bob.typing(False)
    await alice.wait(lambda: alice.state.typing_until is None)
    shown = [event.on async for event in first(alice, TypingSeen, 2)]
    assert shown == [True, False]


async def test_a_longer_time_holds_for_both_and_within_the_servers_bounds(make_client: MakeClient) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    assert await alice.keep(1800) == 1800
    assert [event async for event in first(bob, TimerSet, 1)] == [TimerSet(1800, False)]
    assert await alice.keep(10**9) == 24 * 3600
    await bob.wait(lambda: bob.state.deadline.ttl_seconds == 24 * 3600)


async def test_a_conversation_ends_by_this_sides_own_clock(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    await alice.say("hello")
    await heard(bob, "hello")
    before = clock.now
    monkeypatch.setattr(clock, "now", lambda: clock.Moment(before().wall + 901, before().mono))
    bob.typing(True)  # the next thing that happens
    await ended(bob)
    assert isinstance(bob.over, trouble.Expired)
    with pytest.raises(trouble.Expired):
        await bob.say("too late")


async def test_after_a_sleep_nothing_is_said_in_a_conversation_that_is_over(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    await delivered(bob)
    before = clock.now
    monkeypatch.setattr(clock, "now", lambda: clock.Moment(before().wall + 901, before().mono))
    with pytest.raises(trouble.Expired):
        await bob.say("too late")
    assert texts(bob) == texts(alice) == []


async def test_erasing_tells_the_counts_and_the_other_side(make_client: MakeClient) -> None:
    alice, bob = await make_client(), await make_client()
    mine, theirs = await meet(alice, bob)
    await mine.say("one")
    await heard(theirs, "one")
    counts = await alice.erase()
    assert (counts.sessions, counts.peers, counts.told) == (1, 1, 1)
    assert counts.messages >= 3
    await ended(theirs)
    assert "has left" in str(theirs.over)
    assert isinstance(mine.over, trouble.Erased)


async def test_an_erasing_of_which_only_the_server_tells_is_said_to_be_its_word(
    make_client: MakeClient,
) -> None:
    deaf = Meddler()
    alice, bob = await make_client(), await make_client(meddle=deaf)
    _, theirs = await meet(alice, bob)
    deaf.into = lambda frame: [] if isinstance(frame, wire.Item) else [frame]
    await alice.erase()
    await ended(theirs)
    assert isinstance(theirs.over, trouble.Erased)
    assert "says the server" in str(theirs.over)


async def test_erasing_twice_is_as_good_as_once(url: str, make_client: MakeClient, tmp_path: Path) -> None:
    alice = await make_client()
    code = alice.code
    lost = Meddler(into=lambda frame: [] if isinstance(frame, wire.Erased) else [frame])
    bob = await make_client(state=tmp_path, meddle=lost)
    await meet(alice, bob)
    erasing = asyncio.create_task(bob.erase())
    await lost.until(lambda: any(isinstance(frame, wire.Erase) for frame in lost.sent))
    await lost.cut()  # the server has erased, and its answer is lost
    lost.into = lambda frame: [frame]
    counts = await erasing
    assert counts.sessions in (0, 1)
    assert not (tmp_path / "local-half").exists()
    assert not (tmp_path / "quarter.sqlite3").exists()
    assert code == alice.code


async def test_a_server_that_is_killed_and_comes_back_loses_and_doubles_nothing(
    stack: Stack, make_client: MakeClient
) -> None:
    alice, bob = await meet(await make_client(), await make_client())
    await alice.say("before")
    await heard(bob, "before")
    [server] = [part for part in stack.processes() if "serve_daphne" in " ".join(part.cmdline())]
    server.kill()
    for number in range(5):
        await alice.say(f"from alice {number}")
        await bob.say(f"from bob {number}")
    await heard(bob, *(f"from alice {number}" for number in range(5)))
    await heard(alice, *(f"from bob {number}" for number in range(5)))
    await delivered(alice)
    await delivered(bob)


async def test_connections_that_break_all_the_time_lose_and_double_nothing(make_client: MakeClient) -> None:
    cutter, other = Meddler(), Meddler()
    alice, bob = await meet(await make_client(meddle=cutter), await make_client(meddle=other))
    for number in range(6):
        await alice.say(f"alice {number}")
        await (cutter if number % 2 else other).cut()
        await bob.say(f"bob {number}")
        await (other if number % 3 else cutter).cut()
    await heard(bob, *(f"alice {number}" for number in range(6)))
    await heard(alice, *(f"bob {number}" for number in range(6)))


@pytest.mark.parametrize(
    "lost", [wire.Ok, wire.Stored, wire.Key, wire.Seal, wire.Session, wire.Item, wire.CaughtUp]
)
async def test_a_connection_that_breaks_when_the_server_answers_is_made_good(
    make_client: MakeClient, lost: type[wire.Frame]
) -> None:
    """Each kind of frame is lost once, together with the connection that it came on."""
    broken = asyncio.Event()
    cutter = Meddler()

    def lose_one(frame: wire.Frame) -> list[wire.Frame]:
        if isinstance(frame, lost) and not broken.is_set():
            broken.set()
            for connection in cutter.connections:
                connection.transport.abort()
            cutter.connections.clear()
            return []
        return [frame]

    alice, bob = await make_client(), await make_client(meddle=cutter)
    cutter.into = lose_one
    mine, theirs = await meet(alice, bob)
    await theirs.say("one")
    await heard(mine, "one")
    await mine.say("two")
    await heard(theirs, "two")
    assert broken.is_set()


async def test_the_same_bytes_are_posted_again_until_they_are_stored(make_client: MakeClient) -> None:
    deaf = Meddler()
    alice, bob = await meet(await make_client(), await make_client(meddle=deaf))
    await delivered(bob)
    deaf.into = lambda frame: [] if isinstance(frame, wire.Stored) else [frame]
    message = await bob.say("again and again")
    await heard(alice, "again and again")
    assert bob.status(message) in ("waiting", "delivered")
    await deaf.cut()
    deaf.into = lambda frame: [frame]
    await bob.wait(lambda: not bob.state.outbox.waiting)
    bodies = {post.body for post in deaf.posts() if post.n == message.n}
    assert len([post for post in deaf.posts() if post.n == message.n]) >= 2
    assert len(bodies) == 1


async def test_another_client_of_the_same_identity_takes_over(
    make_client: MakeClient, tmp_path: Path
) -> None:
    alice = await make_client(state=tmp_path / "one")
    for name in ("local-half", "quarter.sqlite3"):
        (tmp_path / "two").mkdir(exist_ok=True)
        (tmp_path / "two" / name).write_bytes((tmp_path / "one" / name).read_bytes())
    await make_client(state=tmp_path / "two")
    with pytest.raises(trouble.Elsewhere):
        await opened(alice)


async def test_a_server_that_answers_nothing_is_taken_for_gone(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RESYNC_SECONDS", 0.05)
    monkeypatch.setattr(engine, "SILENCE_SECONDS", 0.2)
    mute = Meddler(into=lambda frame: [] if isinstance(frame, wire.CaughtUp) else [frame])
    alice = await make_client(meddle=mute)
    told: list[bool] = []
    async for notice in alice.notices():
        if isinstance(notice, Online):
            told.append(notice.on)
        if len(told) == 3:
            break
    assert told == [True, False, True]


async def test_offline_and_online_are_told(make_client: MakeClient) -> None:
    cutter = Meddler()
    alice = await make_client(meddle=cutter)
    told: list[bool] = []
    async for notice in alice.notices():
        if isinstance(notice, Online):
            told.append(notice.on)
        if told == [True]:
            await cutter.cut()
        if len(told) == 3:
            break
    assert told == [True, False, True]


async def test_the_example_of_ten_lines_echoes(url: str, make_client: MakeClient) -> None:
    text = ECHO.read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line]) <= 10
    assert text.rstrip().endswith("asyncio.run(main())")
    printed: asyncio.Queue[str] = asyncio.Queue()
    example = text.replace("http://localhost:8000", url).replace("asyncio.run(main())", "")
    scope: dict[str, Any] = {"print": printed.put_nowait}
    exec(compile(example, ECHO, "exec"), scope)
    running = asyncio.create_task(scope["main"]())
    talk = await (await make_client()).join(await printed.get())
    await talk.say("is there anybody?")
    await heard(talk, "is there anybody?")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
