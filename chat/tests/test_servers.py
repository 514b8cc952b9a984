"""Stories over real servers: processes, sockets, the database and Valkey."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from chat import sessions, wire
from chat.models import Session, Sweep
from chat.tests import people, servers
from chat.tests.pages import listener, receiver, sender
from chat.tests.people import Person
from messenger.stack import parts


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
async def test_alice_and_bob_meet_and_talk_over(
    name: parts.ServerName, redis_url: str, tmp_path: Path, alice: Person, bob: Person
) -> None:
    with servers.start(name, redis_url, tmp_path) as server:
        async with (
            sender(alice, server.url) as alice_out,
            listener(alice, server.url) as alice_in,
            sender(bob, server.url) as bob_out,
            listener(bob, server.url) as bob_in,
        ):
            offer = people.make_offer(alice, bob)
            await alice_out.ask(wire.Offer(1, offer), wire.Ok)
            asked = (await bob_in.expect(wire.Session)).session
            assert (asked.peer, asked.state, asked.role) == (alice.hash, "offered", 1)
            assert (await bob_in.expect(wire.Item)).body == offer
            assert (await alice_in.expect(wire.Session)).session.id == asked.id

            answer = people.make_answer(asked.id)
            await bob_out.ask(wire.Answer(1, asked.id, answer), wire.Ok)
            assert (await alice_in.expect(wire.Session)).session.state == "open"
            assert (await alice_in.expect(wire.Item)).body == answer
            assert (await bob_in.expect(wire.Session)).session.state == "open"

            for n in range(3):
                message = people.make_message(asked.id, 0, n)
                assert await alice_out.ask(wire.Post(asked.id, n, message), wire.Stored)
                item = await bob_in.expect(wire.Item)
                assert (item.seq, item.kind, item.sender, item.body) == (3 + n, "message", 0, message)
            reply = people.make_message(asked.id, 1, 0)
            await bob_out.ask(wire.Post(asked.id, 0, reply), wire.Stored)
            assert (await alice_in.expect(wire.Item)).body == reply
        server.end()


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
async def test_a_restart_closes_sockets_with_1012_on(
    name: parts.ServerName, redis_url: str, tmp_path: Path, alice: Person
) -> None:
    with servers.start(name, redis_url, tmp_path) as server:
        async with sender(alice, server.url) as out, receiver(alice, server.url) as into:
            await into.expect(wire.ReceiveReady)
            server.end()
            assert await out.closed() == 1012
            assert await into.closed() == 1012


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_what_expired_is_swept_by_a_server_that_nobody_has_come_to_yet(
    name: parts.ServerName, redis_url: str, tmp_path: Path, alice: Person, bob: Person
) -> None:
    sessions.offer(alice.hash, people.make_offer(alice, bob))
    long_ago = timezone.now() - timedelta(days=2)
    Session.objects.update(created_at=long_ago, expires_at=long_ago)
    Sweep.objects.update_or_create(id=1, defaults={"swept_at": long_ago})
    with servers.start(name, redis_url, tmp_path, QUARTER_SWEEP_SECONDS="1"):
        deadline = time.monotonic() + servers.WAIT_SECONDS
        while Session.objects.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
