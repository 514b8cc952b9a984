"""The two sockets of a page, in this process: greeted, refused, served, closed."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts import identities, tokens
from accounts.models import Identity
from chat import consumers, delivery, errors, mailbox, node, sessions, wire
from chat.tests import people
from chat.tests.pages import DEADLINE_SECONDS, Timers, listener, open_socket, receiver, sender
from chat.tests.people import Person

pytestmark = pytest.mark.usefixtures("here")

NOWHERE = "A" * 43


@pytest.fixture
def limits(settings: Any) -> Callable[..., None]:
    """Set some limits."""

    def set_limits(**values: float) -> None:
        settings.LIMITS = replace(settings.LIMITS, **values)

    return set_limits


# --- who is there ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["send", "receive"])
async def test_a_page_that_says_nothing_is_closed(name: str, limits: Callable[..., None]) -> None:
    limits(hello_seconds=0)
    async with open_socket(name) as socket:
        assert await socket.closed() == 4401


async def test_a_wrong_token_is_refused(alice: Person) -> None:
    async with open_socket("send") as socket:
        assert await socket.refused(wire.SendHello(NOWHERE)) == "not_logged_in"
        assert await socket.closed() == 4401


async def test_a_hello_that_the_database_can_not_check_is_to_come_again(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OperationalError

    monkeypatch.setattr("accounts.tokens.resolve", fail)
    async with open_socket("send") as socket:
        assert await socket.refused(wire.SendHello(alice.token)) == "unavailable"
        assert await socket.closed() == 1012


async def test_a_hello_that_the_database_is_slow_to_check_came_in_time(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers(monkeypatch)
    asked, answers = threading.Event(), threading.Event()
    resolve = tokens.resolve

    def resolve_late(token: str) -> str:
        asked.set()
        answers.wait(DEADLINE_SECONDS)
        return resolve(token)

    monkeypatch.setattr("accounts.tokens.resolve", resolve_late)
    async with open_socket("send") as socket:
        await socket.send(wire.SendHello(alice.token))
        assert await asyncio.to_thread(asked.wait, DEADLINE_SECONDS)
        assert timers.is_off(5, 4401)
        answers.set()
        await socket.expect(wire.SendReady)
        assert await socket.refused(wire.Lookup(1, NOWHERE)) == "not_found"


async def test_nothing_is_served_before_hello(alice: Person) -> None:
    async with open_socket("send") as socket:
        assert await socket.refused(wire.Lookup(1, alice.hash)) == "not_logged_in"
        assert await socket.closed() == 4401
    async with open_socket("receive") as socket:
        assert await socket.refused(wire.Resync({})) == "not_logged_in"
        assert await socket.closed() == 4401


async def test_a_second_hello_is_no_frame(alice: Person) -> None:
    async with sender(alice) as socket:
        assert await socket.refused(wire.SendHello(alice.token)) == "bad_frame"
        assert await socket.closed() == 4400


async def test_a_page_learns_the_limits(alice: Person, settings: Any) -> None:
    async with open_socket("send") as socket:
        ready = await socket.ask(wire.SendHello(alice.token), wire.SendReady)
    assert ready.limits == wire.Limits(16384, 32768, 900, 60, 86400, 20, 10)


@pytest.mark.parametrize("data", [b"\x80", b"\xc1", b"\x81\xa1t\xa5hello"])
async def test_what_is_no_frame_closes_the_socket(alice: Person, data: bytes) -> None:
    async with sender(alice) as socket:
        await socket.pipe.send(data)
        assert (await socket.expect(wire.Error)).code == "bad_frame"
        assert await socket.closed() == 4400


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_a_frame_has_so_many_bytes(alice: Person, more: int, limits: Callable[..., None]) -> None:
    frame = wire.Offer(1, bytes(32000))
    limits(frame_bytes=len(wire.encode(frame)) - more)
    async with sender(alice) as socket:
        if more > 0:
            assert await socket.refused(frame) == "too_big"
            assert await socket.closed() == 4413
        else:
            assert await socket.refused(frame) == "bad_envelope"


async def test_too_many_frames_close_the_socket(
    alice: Person, still: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.limits.FRAMES_BURST", 3)
    await node.stop()
    async with sender(alice) as socket:
        for _ in range(4):
            await socket.send(wire.Leave(1, NOWHERE))
        assert await socket.closed() == 4429


async def test_posts_and_taken_are_not_too_many_frames(
    alice: Person, session: str, still: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.limits.FRAMES_BURST", 3)
    await node.stop()
    async with sender(alice) as out, listener_of(alice, session) as into:
        for n in range(9):
            await out.ask(wire.Post(session, n, people.make_message(session, 0, n)), wire.Stored)
            await into.send(wire.Taken(session, n))
        assert await into.is_silent()


async def test_posts_that_are_refused_for_their_rate_are_too_many_at_last(
    alice: Person, session: str, still: None, limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.limits.FRAMES_BURST", 3)
    limits(posts_burst=1)
    await node.stop()
    async with sender(alice) as out:
        await out.send(*[wire.Post(session, 0, people.make_message(session, 0, 0))] * 9)
        assert await out.closed() == 4429


async def test_posts_that_are_no_envelopes_are_too_many_at_last(
    alice: Person, session: str, still: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.limits.FRAMES_BURST", 3)
    await node.stop()
    async with sender(alice) as out:
        await out.send(*[wire.Post(session, 0, b"no envelope")] * 9)
        assert await out.closed() == 4429


async def test_an_address_has_so_many_sockets(alice: Person, limits: Callable[..., None]) -> None:
    limits(sockets_per_address=2)
    async with sender(alice), listener(alice), open_socket("send") as third:
        assert await third.closed() == 4429
    async with sender(alice):
        pass


# --- asking ------------------------------------------------------------------------------------------


async def test_a_key_is_looked_up_by_its_hash(alice: Person, bob: Person) -> None:
    async with sender(alice) as socket:
        assert (await socket.ask(wire.Lookup(7, bob.hash), wire.Key)) == wire.Key(7, bob.modulus)
        assert await socket.refused(wire.Lookup(8, NOWHERE)) == "not_found"


async def test_a_refusal_names_what_was_refused(alice: Person, session: str) -> None:
    async with sender(alice) as socket:
        error = await socket.ask(wire.Lookup(8, NOWHERE), wire.Error)
        assert (error.id, error.session, error.n, error.permanent) == (8, None, None, True)
        late = wire.Post(session, 5, people.make_message(session, 0, 5))
        error = await socket.ask(late, wire.Error)
        assert (error.code, error.session, error.n, error.permanent) == ("gap", session, 5, False)


async def test_a_seal_half_comes_before_its_session(alice: Person, bob: Person) -> None:
    body = people.make_offer(alice, bob)
    session = people.session_of(body)
    async with sender(alice) as out, listener(alice) as into:
        seal = await out.ask(wire.Prepare(1, session), wire.Seal)
        await out.ask(wire.Offer(2, body), wire.Ok)
        assert (await into.expect(wire.Session)).session.half == seal.half


async def test_verbs_are_answered_and_both_sides_hear(alice: Person, bob: Person, session: str) -> None:
    async with sender(alice) as out, listener_of(alice, session) as hers, listener_of(bob, session) as his:
        await out.ask(wire.Keep(1, session, 3600), wire.Ok)
        for page in (hers, his):
            info = (await page.expect(wire.Session)).session
            assert info.ttl == 3600
            assert info.left > 3590
        await out.ask(wire.Leave(2, session), wire.Ok)
        for page in (hers, his):
            assert await page.expect(wire.Ended) == wire.Ended(session, "left")
        await out.ask(wire.Leave(3, session), wire.Ok)
        assert await hers.is_silent()


def listener_of(person: Person, session: str) -> Any:
    """A receive socket that has everything of the session."""
    import contextlib

    @contextlib.asynccontextmanager
    async def opened() -> Any:
        async with receiver(person, cursors={session: 2}) as socket:
            await socket.expect(wire.ReceiveReady)
            await socket.expect(wire.CaughtUp)
            yield socket

    return opened()


async def test_a_declined_request_ends_for_both(alice: Person, bob: Person) -> None:
    async with sender(alice) as hers, sender(bob) as his, listener(alice) as into:
        body = people.make_offer(alice, bob, invited=False)
        await hers.ask(wire.Offer(1, body), wire.Ok)
        session = (await into.expect(wire.Session)).session.id
        await his.ask(wire.Decline(1, session, "declined"), wire.Ok)
        assert await into.expect(wire.Ended) == wire.Ended(session, "declined")
        assert await hers.refused(wire.Offer(2, body)) == "ended"


async def test_a_page_that_comes_back_hears_why_it_ended(alice: Person, bob: Person, session: str) -> None:
    async with sender(bob) as out:
        await out.ask(wire.Leave(1, session), wire.Ok)
    async with receiver(alice, cursors={session: 2}) as into:
        assert (await into.expect(wire.ReceiveReady)).sessions == []
        assert await into.expect(wire.Ended) == wire.Ended(session, "left")
        await into.expect(wire.CaughtUp)


async def test_mallory_gets_nothing_with_the_sessions_id(mallory: Person, session: str) -> None:
    async with sender(mallory) as out, listener(mallory) as into:
        for frame in (
            wire.Post(session, 0, people.make_message(session, 0, 0)),
            wire.Post(session, 0, people.make_message(session, 1, 0)),
            wire.Volatile(session, people.make_volatile(session, 0)),
            wire.Keep(1, session, 900),
            wire.Answer(2, session, people.make_answer(session)),
        ):
            assert await out.refused(frame) == "ended"
        await out.ask(wire.Leave(3, session), wire.Ok)
        await into.send(wire.Resync({session: 0}))
        assert await into.expect(wire.Ended) == wire.Ended(session, "expired")
        await into.expect(wire.CaughtUp)
    assert await node.current().reader.after(session, 0, 9)


async def test_trouble_with_the_database_is_said_and_may_pass(
    alice: Person, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OperationalError

    message = wire.Post(session, 0, people.make_message(session, 0, 0))
    async with sender(alice) as out:
        with monkeypatch.context() as broken:
            broken.setattr(mailbox, "_commit", fail)
            broken.setattr(sessions, "key_of", fail)
            error = await out.ask(message, wire.Error)
            assert (error.code, error.permanent, error.retry_after) == ("unavailable", False, 1.0)
            assert await out.refused(wire.Lookup(1, alice.hash)) == "unavailable"
        await out.ask(message, wire.Stored)


# --- posting -----------------------------------------------------------------------------------------


async def test_acknowledgements_are_cumulative(alice: Person, session: str) -> None:
    async with sender(alice) as out:
        await out.send(*(wire.Post(session, n, people.make_message(session, 0, n)) for n in range(20)))
        acknowledged: list[int] = []
        while not acknowledged or acknowledged[-1] < 19:
            acknowledged.append((await out.expect(wire.Stored)).n)
        assert acknowledged == sorted(set(acknowledged))


@pytest.mark.parametrize(
    "body",
    [
        b"\x01",
        people.make_message(NOWHERE, 0, 0),
        people.make_message("B" * 42 + "A", 0, 1),
        people.make_message("B" * 42 + "A", 0, 0)[:-1],
    ],
    ids=["no envelope", "another session", "another n", "cut"],
)
async def test_a_post_must_match_its_envelope(alice: Person, body: bytes) -> None:
    async with sender(alice) as out:
        assert await out.refused(wire.Post("B" * 42 + "A", 0, body)) == "bad_envelope"


async def test_one_can_not_send_as_the_other(alice: Person, session: str) -> None:
    async with sender(alice) as out:
        assert await out.refused(wire.Post(session, 0, people.make_message(session, 1, 0))) == "bad_envelope"


async def test_messages_come_at_a_rate(
    alice: Person, session: str, still: None, limits: Callable[..., None]
) -> None:
    limits(posts_burst=2, posts_per_second=1)
    await node.stop()
    async with sender(alice) as out:
        for n in range(2):
            await out.ask(wire.Post(session, n, people.make_message(session, 0, n)), wire.Stored)
        third = wire.Post(session, 2, people.make_message(session, 0, 2))
        error = await out.ask(third, wire.Error)
        assert (error.code, error.n, error.permanent) == ("too_fast", 2, False)
        assert error.retry_after == 1
    async with sender(alice) as out:
        assert await out.refused(third) == "too_fast"


async def test_leaving_after_a_post_comes_after_it(alice: Person, bob: Person, session: str) -> None:
    async with sender(alice) as out, listener_of(bob, session) as into:
        await out.send(wire.Post(session, 0, people.make_message(session, 0, 0)), wire.Leave(1, session))
        await out.expect(wire.Stored)
        await out.expect(wire.Ok)
        await into.expect(wire.Item)
        await into.expect(wire.Ended)


async def test_a_full_queue_is_refused_with_a_time_to_come_back(
    alice: Person, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.writer.QUEUE_MOST", 0)
    async with sender(alice) as out:
        error = await out.ask(wire.Post(session, 0, people.make_message(session, 0, 0)), wire.Error)
        assert (error.code, error.permanent, error.retry_after) == ("full", False, 1.0)


# --- typing ------------------------------------------------------------------------------------------


async def test_typing_reaches_the_peer_and_is_not_stored(alice: Person, bob: Person, session: str) -> None:
    frame = people.make_volatile(session, 0)
    async with sender(alice) as out, listener_of(bob, session) as into, listener_of(alice, session) as hers:
        await out.send(wire.Volatile(session, frame))
        assert await into.expect(wire.Volatile) == wire.Volatile(session, frame)
        assert await hers.is_silent()
    assert len(await node.current().reader.after(session, 0, 9)) == 2


async def test_typing_comes_at_a_rate(alice: Person, session: str, still: None) -> None:
    async with sender(alice) as out:
        frame = wire.Volatile(session, people.make_volatile(session, 0))
        await out.send(*[frame] * 5)
        assert (await out.expect(wire.Error)).code == "too_fast"


async def test_typing_into_an_unanswered_offer_is_refused(alice: Person, bob: Person) -> None:
    body = people.make_offer(alice, bob)
    session = people.session_of(body)
    async with sender(alice) as out:
        await out.ask(wire.Offer(1, body), wire.Ok)
        assert await out.refused(wire.Volatile(session, people.make_volatile(session, 0))) == "not_open"
        assert await out.refused(wire.Volatile(session, b"\x01\x04")) == "bad_envelope"


# --- receiving ---------------------------------------------------------------------------------------


async def test_the_newest_socket_wins(alice: Person) -> None:
    async with listener(alice) as older, listener(alice) as newer:
        assert await older.closed() == 4409
        assert await newer.is_silent()


async def test_an_older_socket_does_not_win_by_a_late_hello(alice: Person) -> None:
    async with open_socket("receive") as older, listener(alice) as newer:
        await older.send(wire.ReceiveHello(alice.token, {}))
        assert await older.closed() == 4409
        assert await newer.is_silent()


async def test_what_was_stored_and_not_delivered_comes_when_it_is_sent_again(
    alice: Person, bob: Person, session: str
) -> None:
    body = people.make_message(session, 0, 0)
    async with sender(alice) as out, listener_of(bob, session) as into:
        lost = mailbox.Post(session, alice.hash, 0, 0, body)
        await node.current().read(mailbox.post_batch, [lost])  # and then the process was killed
        await out.ask(wire.Post(session, 0, body), wire.Stored)
        assert (await into.expect(wire.Item)).body == body


async def test_a_page_that_comes_right_back_is_not_kept_waiting(alice: Person) -> None:
    hints = node.current().delivery.hints
    for _ in range(5):  # on a busy machine one or the other may take the second that is waited for
        await hints.listen_for(alice.hash)
        hints.stop_listening(alice.hash)
        await hints.listen_for(alice.hash)
        if not hints._is_slow:
            return
    pytest.fail("what was subscribed to is waited for in vain")


async def test_a_reader_who_takes_nothing_is_waited_for_and_then_cut(
    alice: Person, bob: Person, session: str, limits: Callable[..., None]
) -> None:
    limits(window_items=3, stalled_seconds=0)
    async with sender(alice) as out, receiver(bob) as into:
        await into.expect(wire.ReceiveReady)
        for _ in range(2):
            await into.expect(wire.Item)
        await into.expect(wire.CaughtUp)
        for n in range(1):
            await out.ask(wire.Post(session, n, people.make_message(session, 0, n)), wire.Stored)
        await into.expect(wire.Item)
        await into.send(wire.Taken(session, 1))
        await out.ask(wire.Post(session, 1, people.make_message(session, 0, 1)), wire.Stored)
        await into.expect(wire.Item)
        await out.ask(wire.Post(session, 2, people.make_message(session, 0, 2)), wire.Stored)
        assert await into.closed() == 4408


async def test_what_was_not_taken_comes_again_after_a_reconnect(
    alice: Person, bob: Person, session: str
) -> None:
    async with sender(alice) as out, listener_of(bob, session) as into:
        await out.ask(wire.Post(session, 0, people.make_message(session, 0, 0)), wire.Stored)
        item = await into.expect(wire.Item)
    async with receiver(bob, cursors={session: 2}) as into:
        await into.expect(wire.ReceiveReady)
        assert await into.expect(wire.Item) == item


async def test_a_reader_in_trouble_with_the_database_gets_it_later(
    alice: Person, bob: Person, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.consumers.RETRY_SECONDS", 0)
    real, calls = mailbox.read_after, []

    def fail_once(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise OperationalError
        return real(*args)

    monkeypatch.setattr(mailbox, "read_after", fail_once)
    async with receiver(bob) as into:
        await into.expect(wire.ReceiveReady)
        assert (await into.expect(wire.Item)).seq == 1


# --- erasing -----------------------------------------------------------------------------------------


async def test_erasing_is_counted_and_the_peers_page_is_told(
    alice: Person, bob: Person, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "TOLD_SECONDS", DEADLINE_SECONDS)
    async with sender(alice) as out, listener_of(bob, session) as his, listener_of(alice, session) as hers:
        await out.ask(wire.Post(session, 0, people.make_message(session, 0, 0)), wire.Stored)
        await his.expect(wire.Item)
        assert await out.ask(wire.Erase(1), wire.Erased) == wire.Erased(1, 1, 1, 0, 1, 1)
        assert await his.expect(wire.Ended) == wire.Ended(session, "erased")
        assert await hers.closed() == 4401
        assert await out.ask(wire.Erase(2), wire.Erased) == wire.Erased(2, 0, 0, 0, 0, 0)
        assert await out.refused(wire.Prepare(3, NOWHERE)) == "not_logged_in"
    async with open_socket("send") as again:
        assert await again.refused(wire.SendHello(alice.token)) == "not_logged_in"


async def test_erasing_waits_two_seconds_at_most_for_a_peer_who_is_away_and_a_slow_disk(
    alice: Person, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert delivery.TOLD_SECONDS + consumers.SCRUB_SECONDS <= 2
    for name in ("delivery.TOLD_SECONDS", "consumers.SCRUB_SECONDS"):
        monkeypatch.setattr(f"chat.{name}", 0.05)
    freed = asyncio.Event()
    monkeypatch.setattr(node.current(), "free_bytes", freed.wait)
    async with sender(alice) as out:
        assert await out.ask(wire.Erase(1), wire.Erased) == wire.Erased(1, 1, 0, 0, 1, 0)
    freed.set()


async def test_a_purged_users_socket_is_closed_by_its_next_resync(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "FAREWELL_SECONDS", 0.01)
    async with listener(alice) as into:
        await node.current().read(identities.erase, alice.hash)
        await into.send(wire.Resync({}))
        assert await into.closed() == 4401


async def test_an_erasing_page_hears_the_receipt_before_it_is_logged_out(alice: Person) -> None:
    """Its receiving socket may notice first that its user is gone."""
    async with sender(alice) as out, listener(alice) as into:
        await node.current().read(identities.erase, alice.hash)
        await into.send(wire.Resync({}))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await into.closed()
        await out.ask(wire.Erase(1), wire.Erased)
        assert await into.closed() == 4401


async def test_a_page_that_stays_open_keeps_its_user_from_being_idle(alice: Person) -> None:
    def age() -> None:
        Identity.objects.update(last_seen_at=timezone.now() - timedelta(days=1))

    async with listener(alice) as into:
        await node.current().read(age)
        await into.ask(wire.Resync({}), wire.CaughtUp)
        assert await into.is_silent()  # what the first resync had to do is done when the second is answered
        idle = await node.current().read(identities.find, timezone.now() - timedelta(hours=1))
        assert idle == []


# --- the end -----------------------------------------------------------------------------------------


async def test_no_task_is_left_when_sockets_are_gone(alice: Person) -> None:
    async with sender(alice), listener(alice):
        pass
    async with sender(alice), listener(alice):
        during = len(asyncio.all_tasks())
    assert len(asyncio.all_tasks()) < during
    assert not node.current().sockets


async def test_a_stopping_node_closes_its_sockets_for_a_restart(alice: Person) -> None:
    async with sender(alice) as out, listener(alice) as into:
        stopping = asyncio.create_task(node.stop())
        assert await out.closed() == 1012
        assert await into.closed() == 1012
        await out.pipe.close()
        await into.pipe.close()
        await stopping


def test_every_refusal_has_a_code() -> None:
    assert errors.Full(3.0).retry_after == 3.0
    assert str(errors.Gap()) == "gap"
