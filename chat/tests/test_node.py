"""The parts of a server process: they go on when something fails, and sweep when nobody else does."""

import asyncio
import gc
import weakref
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from chat import announce, connections, disk, expiry, mailbox, node, wire
from chat.models import Session, Sweep
from chat.tests import people
from chat.tests.pages import DEADLINE_SECONDS, listener, receiver, sender
from chat.tests.people import Person


@pytest.fixture
def expired(session: str) -> str:
    """A session whose time is over, in a place that nobody has swept for long."""
    long_ago = timezone.now() - timedelta(hours=1)
    Sweep.objects.update_or_create(id=1, defaults={"swept_at": long_ago})
    Session.objects.filter(id=session).update(created_at=long_ago, expires_at=timezone.now())
    return session


async def test_the_server_sweeps_when_nobody_else_does(
    expired: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = asyncio.Event()
    loop, sweep = asyncio.get_running_loop(), expiry.sweep

    def sweep_and_say() -> None:
        sweep()
        loop.call_soon_threadsafe(swept.set)

    monkeypatch.setattr(expiry, "sweep", sweep_and_say)
    settings.SWEEP_SECONDS = 0.03
    here = node.current()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await swept.wait()
    assert not await here.read(Session.objects.exists)
    await node.stop()


async def test_what_lies_in_a_cycle_is_gone_within_a_third_of_a_sweep(
    transactional_db: None, settings: Any
) -> None:
    class Request:
        def __init__(self) -> None:
            self.itself = self

    gone = asyncio.Event()
    settings.SWEEP_SECONDS = 0.03
    gc.disable()
    try:
        node.current()
        weakref.finalize(Request(), gone.set)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await gone.wait()
    finally:
        gc.enable()
    await node.stop()


async def test_twenty_who_erase_at_once_wait_for_two_rewrites_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_end = asyncio.Semaphore(0)

    async def rewrite(function: Any) -> None:
        assert function is disk.free
        await may_end.acquire()

    here = node.current()
    monkeypatch.setattr(here, "aside", rewrite)
    async with asyncio.timeout(DEADLINE_SECONDS):
        first = asyncio.create_task(here.free_bytes())
        await asyncio.sleep(0)
        others = [asyncio.create_task(here.free_bytes()) for _ in range(19)]
        may_end.release()
        await first
        await asyncio.sleep(0)
        assert not any(each.done() for each in others), "what the first one freed was not theirs"
        may_end.release()
        await asyncio.gather(*others)
    await node.stop()


@pytest.mark.usefixtures("here")
async def test_a_live_page_is_told_of_a_sweep_in_this_process(alice: Person, session: str) -> None:
    async with receiver(alice, cursors={session: 2}) as into:
        await into.expect(wire.ReceiveReady)
        await into.expect(wire.CaughtUp)
        await node.current().read(_expire)
        await node.current().aside(expiry.sweep)
        assert await into.expect(wire.Ended) == wire.Ended(session, "expired")


@pytest.mark.usefixtures("here")
async def test_a_live_page_is_told_of_a_sweep_by_a_worker(alice: Person, session: str) -> None:
    async with receiver(alice, cursors={session: 2}) as into:
        await into.expect(wire.ReceiveReady)
        await into.expect(wire.CaughtUp)
        announce.use(None)  # as in a process without sockets
        await node.current().read(_expire)
        await node.current().aside(expiry.sweep)
        assert await into.expect(wire.Ended) == wire.Ended(session, "expired")


def _expire() -> None:
    Session.objects.update(expires_at=timezone.now())


@pytest.mark.usefixtures("here")
async def test_the_writer_goes_on_after_a_bug(
    alice: Person, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(node, "RESTART_SECONDS", 0)
    message = wire.Post(session, 0, people.make_message(session, 0, 0))
    async with sender(alice) as out:
        with monkeypatch.context() as broken:
            broken.setattr(mailbox, "post_batch", bug)
            assert await out.refused(message) == "unavailable"
        await out.ask(message, wire.Stored)


@pytest.mark.usefixtures("here")
async def test_hints_go_on_after_a_bug(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    hints, struck = node.current().delivery.hints, asyncio.Event()

    def bug(*args: object) -> None:
        struck.set()
        raise ZeroDivisionError

    async with listener(alice) as into, asyncio.timeout(DEADLINE_SECONDS):
        with monkeypatch.context() as broken:
            broken.setattr(hints, "_hear", bug)
            hints.say(alice.hash, {"type": "hint", "to": alice.hash, "look": [], "more": {}, "ended": {}})
            await struck.wait()
        hearing = asyncio.create_task(into.expect(wire.Volatile))
        while not hearing.done():  # what is said before all is subscribed to again is lost
            hints.say(alice.hash, {"type": "volatile", "to": alice.hash, "session": "A" * 43, "body": b"x"})
            await asyncio.wait([hearing], timeout=0.1)
        assert hearing.result().body == b"x"


def test_work_on_a_broken_connection_is_done_once_more(transactional_db: None) -> None:
    calls = []

    def work() -> int:
        calls.append(1)
        if len(calls) == 1:
            connection.close()
            raise OperationalError
        return len(calls)

    assert connections.with_connection(work) == 2


def test_trouble_on_a_good_connection_is_not_done_again(transactional_db: None) -> None:
    calls = []

    def work() -> None:
        calls.append(1)
        connection.ensure_connection()
        raise OperationalError

    with pytest.raises(OperationalError):
        connections.with_connection(work)
    assert len(calls) == 1
