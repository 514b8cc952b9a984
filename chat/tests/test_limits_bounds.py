"""Each limit of DESIGN §7 as it is shipped: one below, at it, one above; and what is said above it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from chat import envelope, errors, limits, mailbox, node, sessions, window, wire, writer
from chat.models import Session
from chat.tests import people
from chat.tests.pages import Socket, Timers, listener, open_socket, receiver, sender
from chat.tests.people import Person
from chat.tests.test_limits import Clock

DAY_SECONDS = 24 * 3600
ends_here = pytest.mark.usefixtures("here")


@pytest.fixture
def limits_of(settings: Any) -> Callable[..., None]:
    """Sets limits for this test."""

    def change(**given: int) -> None:
        settings.LIMITS = replace(settings.LIMITS, **given)

    return change


def ask(guest: Person, owner: Person, invited: bool = False) -> str:
    return sessions.offer(guest.hash, people.make_offer(guest, owner, invited)).session


@pytest.mark.parametrize(("burst", "per_second"), [(60, 5), (4, 4)])
def test_what_is_too_fast_goes_through_at_the_time_that_was_said(burst: int, per_second: int) -> None:
    clock = Clock()
    bucket = limits.Bucket(burst, per_second, clock)
    assert [bucket.take() for _ in range(burst)] == [None] * burst
    seconds = bucket.take()
    assert seconds == 1 / per_second
    clock.now += seconds - 0.01
    assert bucket.take() == pytest.approx(0.01)
    clock.now += 0.011
    assert bucket.take() is None


def test_the_buckets_are_as_large_as_the_design_says() -> None:
    shipped = settings.LIMITS
    assert (shipped.posts_burst, shipped.posts_per_second, shipped.volatile_per_second) == (60, 5, 4)


@pytest.mark.parametrize("invited", [False, True])
@pytest.mark.parametrize("why", ["declined", "unread"])
def test_ten_may_wait_for_an_owner_and_the_next_has_to_come_later(
    alice: Person, invited: bool, why: str
) -> None:
    waiting = [ask(people.meet("a guest"), alice, invited) for _ in range(10)]
    late = people.meet("a late guest")
    with pytest.raises(errors.Full):
        ask(late, alice, invited)
    sessions.decline(alice.hash, waiting[0], why)
    ask(late, alice, invited)


def test_those_who_have_but_the_code_keep_no_invited_guest_out(alice: Person, bob: Person) -> None:
    for _ in range(10):
        ask(people.meet("a stranger"), alice)
    ask(bob, alice, invited=True)


def test_who_was_left_unread_sees_nothing_of_it(alice: Person, bob: Person) -> None:
    session = ask(bob, alice, invited=True)
    before = mailbox.look(bob.hash)
    assert not sessions.decline(alice.hash, session, "unread").changed
    after = mailbox.look(bob.hash)
    assert [(each.state, each.last_seq) for each in after.sessions] == [
        (each.state, each.last_seq) for each in before.sessions
    ]
    assert not after.ended
    assert Session.objects.get(id=session).expires_at > timezone.now()


def test_who_was_left_unread_may_not_ask_more_often_for_that(alice: Person, bob: Person) -> None:
    for _ in range(3):
        sessions.decline(alice.hash, ask(bob, alice, invited=True), "unread")
    with pytest.raises(errors.Full):
        ask(bob, alice, invited=True)


@pytest.mark.parametrize(("left", "said"), [(500, 60), (20, 20)])
def test_who_finds_no_place_is_told_when_the_first_one_is_free(
    alice: Person, left: float, said: float
) -> None:
    waiting = [ask(people.meet("a guest"), alice) for _ in range(10)]
    now = timezone.now()
    Session.objects.filter(id=waiting[3]).update(expires_at=now + timedelta(seconds=left))
    with pytest.raises(errors.Full) as refused:
        ask(people.meet("a late guest"), alice)
    assert refused.value.retry_after == pytest.approx(said, abs=5)
    assert refused.value.retry_after <= said
    if left < 60:
        Session.objects.filter(id=waiting[3]).update(expires_at=now)
        ask(people.meet("a guest in time"), alice)


def test_three_of_them_may_be_one_guests(alice: Person, bob: Person) -> None:
    for _ in range(3):
        ask(bob, alice)
    with pytest.raises(errors.Full):
        ask(bob, alice)


def test_an_owner_without_a_place_for_requests_answers_and_talks(alice: Person, bob: Person) -> None:
    first, *_ = [ask(people.meet("a guest"), alice) for _ in range(10)]
    sessions.answer(alice.hash, first, people.make_answer(first))
    mine = ask(alice, bob)
    sessions.answer(bob.hash, mine, people.make_answer(mine))
    post = mailbox.Post(mine, alice.hash, 0, 0, people.make_message(mine, 0, 0))
    assert isinstance(mailbox.post_batch([post])[0], mailbox.Stored)


def test_twenty_conversations_may_be_open_and_the_next_has_to_come_later(alice: Person) -> None:
    opened = [ask(alice, people.meet("somebody")) for _ in range(20)]
    peer = people.meet("somebody else")
    with pytest.raises(errors.Full) as refused:
        ask(alice, peer)
    assert refused.value.retry_after
    sessions.leave(alice.hash, opened[0])
    ask(alice, peer)


@pytest.mark.parametrize(("column", "most"), [("last_seq", 2000), ("stored_bytes", 32 * 1024 * 1024)])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_conversation_holds_so_much(alice: Person, session: str, column: str, most: int, more: int) -> None:
    message = people.make_message(session, 0, 0)
    own = 1 if column == "last_seq" else len(message)
    Session.objects.filter(id=session).update(**{column: most - own + more})
    [result] = mailbox.post_batch([mailbox.Post(session, alice.hash, 0, 0, message)])
    assert isinstance(result, errors.Full if more > 0 else mailbox.Stored)


@pytest.mark.parametrize("ttl", [60, 61, DAY_SECONDS - 1, DAY_SECONDS])
def test_a_conversation_may_last_so_long_after_its_last_message(
    alice: Person, session: str, ttl: int
) -> None:
    sessions.keep(alice.hash, session, ttl)
    assert Session.objects.get(id=session).ttl_seconds == ttl


@pytest.mark.parametrize("ttl", [59, DAY_SECONDS + 1])
def test_no_shorter_and_no_longer(alice: Person, session: str, ttl: int) -> None:
    with pytest.raises(errors.BadFrame):
        sessions.keep(alice.hash, session, ttl)


@pytest.mark.parametrize(
    ("age", "left"), [(DAY_SECONDS - 61, 60), (DAY_SECONDS - 60, 60), (DAY_SECONDS - 59, 59)]
)
def test_no_message_keeps_it_longer_than_a_day(age: int, left: int) -> None:
    now = timezone.now()
    assert sessions.expiry_of(60, now - timedelta(seconds=age), now) == now + timedelta(seconds=left)


def test_sixty_sockets_may_be_open_from_one_address() -> None:
    """Ten pages, each with its two sockets and four of former ones, which died and nobody knows it yet."""
    seats = limits.Seats()
    with contextlib.ExitStack() as held:
        assert [held.enter_context(seats.seat("here")) for _ in range(61)] == [True] * 60 + [False]
        assert held.enter_context(seats.seat("elsewhere"))


@ends_here
async def test_who_finds_no_seat_is_told_when_to_come_back(
    alice: Person, limits_of: Callable[..., None]
) -> None:
    limits_of(sockets_per_address=1)
    async with sender(alice), open_socket("send") as second:
        error = await second.expect(wire.Error)
        assert (error.code, error.permanent) == ("too_fast", False)
        assert error.retry_after
        assert await second.closed() == 4429


@pytest.fixture
async def three_frames(here: node.Node, still: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many a user may send here, and no more."""
    monkeypatch.setattr("chat.limits.FRAMES_BURST", 3)
    await node.stop()


@pytest.mark.usefixtures("three_frames")
async def test_who_is_cut_off_keeps_the_seat_for_a_while(
    alice: Person, limits_of: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.sockets.LINGER_SECONDS", 60.0)
    limits_of(sockets_per_address=1)
    timers = Timers(monkeypatch)
    async with sender(alice) as socket:
        await socket.send(*[wire.Leave(1, alice.hash)] * 4)
        while not isinstance(error := await socket.read(), wire.Error):
            pass
        assert (error.code, error.permanent, error.retry_after) == ("too_fast", False, 60.0)
        async with open_socket("send") as another:
            assert await another.closed() == 4429
        timers.fire(60.0, 4429)
        assert await socket.closed() == 4429
    async with sender(alice):
        pass


@pytest.mark.usefixtures("three_frames")
async def test_a_new_socket_does_not_come_with_a_full_bucket(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.sockets.LINGER_SECONDS", 0.01)
    async with sender(alice) as socket:
        await socket.send(*[wire.Leave(1, alice.hash)] * 4)
        assert await socket.closed() == 4429
    async with sender(alice) as socket:
        await socket.send(wire.Leave(1, alice.hash))
        assert await socket.closed() == 4429


@pytest.mark.parametrize(
    ("bucket", "frame"),
    [("PACED", wire.Taken(people.session_of(b"x"), 1)), ("AGAIN", wire.Resync({people.session_of(b"x"): 1}))],
    ids=["taken", "asked for again"],
)
@ends_here
async def test_what_is_never_refused_is_read_no_faster_than_its_pace(
    alice: Person, bucket: str, frame: wire.ReceiveRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"chat.limits.{bucket}_BURST", 2)
    monkeypatch.setattr(f"chat.limits.{bucket}_PER_SECOND", 20)
    await node.stop()
    async with listener(alice) as socket:
        began = time.monotonic()
        await socket.send(*[frame] * 8)
        await socket.pipe.send(b"no frame")
        assert await socket.closed() == 4400
        assert time.monotonic() - began > 0.3


@ends_here
async def test_two_hundred_sockets_that_came_and_went_leave_no_task(alice: Person) -> None:
    async with sender(alice):
        before = len(asyncio.all_tasks())
        for _ in range(200):
            async with sender(alice) as socket:
                await socket.refused(wire.Lookup(1, people.session_of(b"nobody")))
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) <= before + 1


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_sign_that_is_never_stored_is_small(session: str, more: int) -> None:
    frame = people.make_volatile(session, 0)
    padded = frame + bytes(1024 + more - len(frame))
    with contextlib.nullcontext() if more <= 0 else pytest.raises(errors.BadEnvelope):
        envelope.parse_volatile(padded)


@ends_here
async def test_typing_comes_four_times_a_second(alice: Person, session: str, still: None) -> None:
    async with sender(alice) as out:
        frame = wire.Volatile(session, people.make_volatile(session, 0))
        await out.send(*[frame] * 4)
        assert await out.refused(wire.Lookup(1, people.session_of(b"nobody"))) == "not_found"
        error = await out.ask(frame, wire.Error)
        assert error.code == "too_fast"
        assert error.retry_after == 1 / 4


@pytest.mark.parametrize(("size", "most"), [(1, 64), (256 * 1024 // 32, 32)])
def test_so_much_is_under_way_to_a_page_that_takes_nothing(size: int, most: int) -> None:
    """64 items, or 256 KiB."""
    under_way = window.Window()
    for seq in range(1, most + 1):
        assert under_way.fits(size)
        under_way.send("session", seq, size)
    assert not under_way.fits(size)
    under_way.take("session", 1)
    assert under_way.fits(size)
    assert under_way.fits(size + 1) is (most == 64)


@ends_here
async def test_the_first_frame_is_awaited_for_five_seconds(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers(monkeypatch)
    async with open_socket("send") as socket:
        timers.fire(5, 4401)
        assert await socket.closed() == 4401


@contextlib.asynccontextmanager
async def of_one_item(person: Person, limits_of: Callable[..., None]) -> AsyncIterator[Socket]:
    """A receive socket whose window the first item has filled."""
    limits_of(window_items=1)
    async with receiver(person) as socket:
        await socket.expect(wire.ReceiveReady)
        await socket.expect(wire.Item)
        yield socket


@ends_here
async def test_a_page_that_takes_nothing_is_cut_after_thirty_seconds(
    alice: Person, bob: Person, session: str, limits_of: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers(monkeypatch)
    async with of_one_item(bob, limits_of) as socket:
        await asyncio.sleep(0)
        timers.fire(30, 4408)
        assert await socket.closed() == 4408


@ends_here
async def test_a_page_that_asks_again_and_has_nothing_more_to_take_is_not_cut(
    bob: Person, session: str, limits_of: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers(monkeypatch)
    async with of_one_item(bob, limits_of) as socket:
        await socket.ask(wire.Resync({session: 2}), wire.CaughtUp)
        assert timers.is_off(30, 4408)


class Nobody:
    """Who posts and does not listen."""

    def stored(self, session: str, n: int) -> None: ...

    def refused(self, post: mailbox.Post, error: errors.ChatError) -> None: ...


async def test_many_requests_hold_no_message_up(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def commit(posts: Sequence[mailbox.Post]) -> list[mailbox.Result]:
        order.append("post")
        return [mailbox.Stored("bob", None) for _ in posts]

    monkeypatch.setattr("chat.mailbox.post_batch", commit)
    with ThreadPoolExecutor(1) as executor:
        queue = writer.Writer(executor, lambda _: None)
        jobs = [asyncio.create_task(queue.run(order.append, "request")) for _ in range(20)]
        await asyncio.sleep(0)
        queue.post(mailbox.Post("session", "alice", 0, 0, b""), Nobody())
        serving = asyncio.create_task(queue.serve())
        await asyncio.gather(*jobs)
        serving.cancel()
    assert order.index("post") <= 1
