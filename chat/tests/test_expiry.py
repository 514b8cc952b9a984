"""What is over is gone: at once for readers, and soon from the disk."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts import identities, login
from accounts.models import Challenge, Identity
from chat import announce, erasure, expiry, mailbox, sessions
from chat.models import Item, SealHalf, Session, Sweep
from chat.tests import people
from chat.tests.people import Person
from messenger.tests import races


@pytest.fixture
def told() -> Any:
    """What live pages are told."""
    heard: list[tuple[str, str, str]] = []
    announce.use(heard.extend)
    yield heard
    announce.use(None)


def later(seconds: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


def say(session: str, who: Person, side: int = 0, count: int = 1, noise: bytes = b"") -> None:
    mailbox.post_batch(
        [
            mailbox.Post(
                session, who.hash, side, n, people.make_message(session, side, n, noise=noise, size=2048)
            )
            for n in range(count)
        ]
    )


def test_a_sweep_ends_what_is_over_and_nothing_else(alice: Person, bob: Person, told: Any) -> None:
    over = people.open_session(alice, bob)
    say(over, alice)
    with later(899):
        alive = people.open_session(alice, bob)
        say(alive, alice)
    with later(901):
        assert expiry.sweep().sessions == 1
    assert set(Session.objects.values_list("id", flat=True)) == {alive}
    assert set(Item.objects.values_list("session", flat=True)) == {alive}
    assert SealHalf.objects.count() == 2
    assert sorted(told) == sorted([(alice.hash, over, "expired"), (bob.hash, over, "expired")])


def test_a_tombstone_is_swept_in_silence(alice: Person, session: str, told: Any) -> None:
    sessions.leave(alice.hash, session)
    with later(901):
        assert expiry.sweep().sessions == 1
    assert not Session.objects.exists()
    assert told == []


def test_a_seal_half_whose_session_never_came_is_swept(alice: Person) -> None:
    sessions.prepare(alice.hash, "A" * 43)
    assert expiry.sweep().halves == 0
    with later(901):
        assert expiry.sweep().halves == 1


def test_spent_challenges_and_idle_users_are_swept(
    alice: Person, bob: Person, settings: Any, session: str
) -> None:
    login.challenge(alice.modulus, "http://localhost:8000", timezone.now())
    with later(settings.IDENTITY_IDLE_SECONDS + 120):
        identities.touch(bob.hash, timezone.now())
        swept = expiry.sweep()
    assert swept.challenges == 1
    assert not Challenge.objects.exists()
    assert list(Identity.objects.values_list("hash", flat=True)) == [bob.hash]


def test_more_than_a_batch_is_swept_at_once(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "BATCH", 2)
    monkeypatch.setattr(expiry, "ITEM_BATCH", 3)
    for _ in range(5):
        say(people.open_session(alice, bob), alice, count=4)
    with later(901):
        assert expiry.sweep().sessions == 5
    assert not Item.objects.exists()


def test_two_sweeps_at_once_do_no_harm(alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "BATCH", 1)
    for _ in range(8):
        people.open_session(alice, bob)
    Session.objects.update(expires_at=timezone.now())
    together = threading.Barrier(2)

    def sweep() -> int:
        try:
            together.wait(races.SECONDS)
            return expiry.sweep().sessions
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        swept = [each.result() for each in [pool.submit(sweep) for _ in range(2)]]
    assert sum(swept) == 8
    assert not Session.objects.exists()


def test_a_sweep_spares_a_session_that_is_being_kept_on(alice: Person, session: str) -> None:
    Session.objects.update(expires_at=timezone.now() + timedelta(seconds=1))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            say(session, alice)
            with later(2):
                sweeping = races.begin(pool, expiry.sweep)
                if connection.vendor != "sqlite":
                    sweeping.result(races.SECONDS)
        sweeping.result(races.SECONDS)
    assert list(Item.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3]


def test_a_sweep_is_overdue_after_two_intervals_and_one_process_is_told(transactional_db: None) -> None:
    expiry.sweep()
    assert not expiry.is_overdue()
    Sweep.objects.update(swept_at=timezone.now() - timedelta(seconds=31))
    assert expiry.is_overdue()
    assert not expiry.is_overdue()


def test_erasing_takes_both_sides_sessions_along(
    alice: Person, bob: Person, mallory: Person, session: str, told: Any
) -> None:
    say(session, alice, count=3)
    other = people.open_session(bob, mallory)
    erased = erasure.erase(alice.hash)
    assert (erased.sessions, erased.messages, erased.files) == (1, 3, 0)
    assert erased.peers == {bob.hash: [session]}
    assert set(Session.objects.values_list("id", flat=True)) == {other}
    assert not SealHalf.objects.filter(session_id=session).exists()
    assert (bob.hash, session, "erased") in told


def test_erasing_twice_is_as_good_as_once(alice: Person, session: str) -> None:
    erasure.erase(alice.hash)
    again = erasure.erase(alice.hash)
    assert (again.sessions, again.messages, dict(again.peers)) == (0, 0, {})


def test_erasing_counts_a_conversation_that_the_other_one_left_on_the_bye(
    alice: Person, bob: Person, session: str
) -> None:
    say(session, alice, count=3)
    sessions.leave(bob.hash, session)
    erased = erasure.erase(alice.hash)
    assert (erased.sessions, erased.messages, dict(erased.peers)) == (1, 3, {})


@pytest.mark.parametrize("said", [0, 3])
def test_erasing_does_not_count_what_had_ended_before(alice: Person, session: str, said: int) -> None:
    say(session, alice, count=said)
    sessions.leave(alice.hash, session)
    if said:
        Session.objects.update(last_activity_at=timezone.now() - timedelta(seconds=3))
    erased = erasure.erase(alice.hash)
    assert (erased.sessions, erased.messages) == (0, 0)
    assert not Session.objects.exists()


def test_erasing_does_not_count_what_is_over_and_not_swept_yet(alice: Person, session: str) -> None:
    say(session, alice)
    with later(901):
        erased = erasure.erase(alice.hash)
    assert (erased.sessions, erased.messages) == (0, 0)
    assert not Session.objects.exists()


def test_a_purge_tells_live_pages(alice: Person, session: str, told: Any, capsys: Any) -> None:
    call_command("purge_sessions", "--yes", "--", session)
    assert "1 sessions" in capsys.readouterr().out
    assert (alice.hash, session, "removed") in told
    assert not Session.objects.exists()


def test_a_dry_purge_deletes_nothing(session: str, capsys: Any) -> None:
    call_command("purge_sessions", "--all", "--dry-run", "--json")
    assert Session.objects.exists()
    assert '"sessions": 1' in capsys.readouterr().out


def test_a_purge_of_idle_sessions_spares_the_others(alice: Person, bob: Person, capsys: Any) -> None:
    people.open_session(alice, bob)
    Session.objects.update(last_activity_at=timezone.now() - timedelta(minutes=5))
    young = people.open_session(alice, bob)
    call_command("purge_sessions", "--idle-for", "1m", "--yes")
    assert set(Session.objects.values_list("id", flat=True)) == {young}


def test_stats_are_numbers_alone(alice: Person, session: str, capsys: Any) -> None:
    import json

    say(session, alice, count=2)
    call_command("stats", "--json")
    numbers = json.loads(capsys.readouterr().out)
    assert (numbers["identities"], numbers["sessions_open"], numbers["items"]) == (2, 1, 4)
    assert numbers["stored_bytes"] == Session.objects.get(id=session).stored_bytes
    assert all(value is None or isinstance(value, int | float) for value in numbers.values())
    call_command("stats")
    assert "stored bytes" in capsys.readouterr().out
