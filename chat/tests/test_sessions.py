"""The life of a session, as a user would put it. Alice asks Bob; Mallory is outside."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import b64u
from chat import errors, expiry, mailbox, sessions
from chat.models import Item, SealHalf, Session, State
from chat.tests import people
from chat.tests.people import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(settings: Any) -> None:
    """Two sessions, two requests."""
    from dataclasses import replace

    settings.LIMITS = replace(settings.LIMITS, sessions=2, requests=2)


def offered(alice: Person, bob: Person) -> tuple[str, bytes]:
    body = people.make_offer(alice, bob)
    return sessions.offer(alice.hash, body).session, body


def test_an_offer_begins_a_session_named_by_its_hash(alice: Person, bob: Person) -> None:
    session, body = offered(alice, bob)
    assert session == b64u.encode(hashlib.sha256(b"quarter/1 session" + body).digest())
    row = Session.objects.get(id=session)
    assert (row.state, row.last_seq, row.stored_bytes) == (State.OFFERED, 1, 2082)
    assert (row.initiator_id, row.responder_id) == (alice.hash, bob.hash)
    assert [each.body for each in mailbox.read_after([mailbox.Wanted(session, 0, 9)])[session]] == [body]


def test_both_are_told_of_an_offer(alice: Person, bob: Person) -> None:
    change = sessions.offer(alice.hash, people.make_offer(alice, bob))
    assert set(change.people) == {alice.hash, bob.hash}


def test_the_same_offer_again_changes_nothing(alice: Person, bob: Person) -> None:
    session, body = offered(alice, bob)
    again = sessions.offer(alice.hash, body)
    assert again.session == session
    assert not again.changed
    assert Item.objects.count() == 1


def test_nobody_offers_in_another_name(alice: Person, bob: Person, mallory: Person) -> None:
    with pytest.raises(errors.NotYours):
        sessions.offer(mallory.hash, people.make_offer(alice, bob))


def test_an_offer_must_hold_the_key_of_its_sender(alice: Person, bob: Person, mallory: Person) -> None:
    body = people.make_offer(alice, bob).replace(alice.modulus, mallory.modulus)
    with pytest.raises(errors.BadEnvelope):
        sessions.offer(alice.hash, body)


def test_an_offer_to_nobody_is_not_found(alice: Person, bob: Person) -> None:
    body = people.make_offer(alice, bob)
    with pytest.raises(errors.NotFound):
        sessions.offer(alice.hash, body.replace(bob.raw, b"?" * 32))


def test_an_erased_user_can_offer_nothing(alice: Person, bob: Person) -> None:
    from accounts import identities

    identities.erase(alice.hash)
    with pytest.raises(errors.NotLoggedIn):
        sessions.offer(alice.hash, people.make_offer(alice, bob))


def test_an_ended_offer_is_refused_again(alice: Person, bob: Person) -> None:
    session, body = offered(alice, bob)
    sessions.leave(alice.hash, session)
    with pytest.raises(errors.Ended):
        sessions.offer(alice.hash, body)


def test_an_expired_offer_is_refused_before_it_is_swept(alice: Person, bob: Person) -> None:
    session, body = offered(alice, bob)
    Session.objects.filter(id=session).update(expires_at=timezone.now())
    with pytest.raises(errors.Ended):
        sessions.offer(alice.hash, body)


def test_two_crossing_offers_are_two_sessions(alice: Person, bob: Person) -> None:
    assert offered(alice, bob)[0] != offered(bob, alice)[0]
    assert Session.objects.count() == 2


def test_an_answer_opens_the_session(alice: Person, bob: Person) -> None:
    session, _ = offered(alice, bob)
    body = people.make_answer(session)
    assert sessions.answer(bob.hash, session, body).changed
    row = Session.objects.get(id=session)
    assert (row.state, row.last_seq) == (State.OPEN, 2)
    assert [each.kind for each in mailbox.read_after([mailbox.Wanted(session, 0, 9)])[session]] == [
        "offer",
        "answer",
    ]


def test_the_same_answer_again_changes_nothing_and_another_is_a_conflict(alice: Person, bob: Person) -> None:
    session, _ = offered(alice, bob)
    body = people.make_answer(session)
    sessions.answer(bob.hash, session, body)
    assert not sessions.answer(bob.hash, session, body).changed
    with pytest.raises(errors.Conflict):
        sessions.answer(bob.hash, session, people.make_answer(session))


def test_only_the_one_who_was_asked_can_answer(alice: Person, bob: Person, mallory: Person) -> None:
    session, _ = offered(alice, bob)
    with pytest.raises(errors.NotYours):
        sessions.answer(alice.hash, session, people.make_answer(session))
    with pytest.raises(errors.Ended):
        sessions.answer(mallory.hash, session, people.make_answer(session))


def test_an_answer_must_name_its_session(alice: Person, bob: Person) -> None:
    session, _ = offered(alice, bob)
    with pytest.raises(errors.BadEnvelope):
        sessions.answer(bob.hash, session, people.make_answer("A" * 43))


def test_a_request_can_be_declined_once_and_again(alice: Person, bob: Person) -> None:
    session, _ = offered(alice, bob)
    assert sessions.decline(bob.hash, session, "declined").why == "declined"
    assert not sessions.decline(bob.hash, session, "declined").changed
    assert mailbox.look(alice.hash).ended == {session: "declined"}


def test_only_the_one_who_was_asked_can_decline(alice: Person, bob: Person, mallory: Person) -> None:
    session, _ = offered(alice, bob)
    with pytest.raises(errors.NotYours):
        sessions.decline(alice.hash, session, "declined")
    assert not sessions.decline(mallory.hash, session, "used").changed
    assert Session.objects.get(id=session).state == State.OFFERED


def test_a_session_can_be_declined_until_its_owner_has_spoken(bob: Person, session: str) -> None:
    Session.objects.filter(id=session).update(next_n_responder=1)
    with pytest.raises(errors.Conflict):
        sessions.decline(bob.hash, session, "used")
    Session.objects.filter(id=session).update(next_n_responder=0)
    assert sessions.decline(bob.hash, session, "used").why == "used"


def test_leaving_ends_it_for_both_and_leaves_a_bare_tombstone(
    alice: Person, bob: Person, session: str
) -> None:
    assert sessions.leave(bob.hash, session).why == "left"
    assert not sessions.leave(alice.hash, session).changed
    row = Session.objects.get(id=session)
    assert (row.state, row.ended_why) == (State.ENDED, "left")
    assert not Item.objects.exists()
    assert not SealHalf.objects.exists()


def test_nobody_else_can_leave_it(mallory: Person, session: str) -> None:
    assert not sessions.leave(mallory.hash, session).changed
    assert Session.objects.get(id=session).state == State.OPEN


def test_leaving_what_never_was_is_no_error(alice: Person) -> None:
    assert not sessions.leave(alice.hash, "A" * 43).changed


def test_keeping_on_moves_the_end(alice: Person, session: str) -> None:
    sessions.keep(alice.hash, session, 3600)
    row = Session.objects.get(id=session)
    assert row.ttl_seconds == 3600
    assert row.expires_at - row.last_activity_at == timedelta(hours=1)


def test_nothing_lasts_longer_than_a_day(alice: Person, session: str) -> None:
    began_at = Session.objects.get(id=session).created_at
    for hours in (5, 10, 15, 20):
        Session.objects.filter(id=session).update(expires_at=began_at + timedelta(days=2))
        with time_machine.travel(began_at + timedelta(hours=hours), tick=False):
            sessions.keep(alice.hash, session, 8 * 3600)
    assert Session.objects.get(id=session).expires_at == began_at + timedelta(hours=24)


@pytest.mark.parametrize("ttl", [59, 86401])
def test_a_ttl_out_of_bounds_is_refused(alice: Person, session: str, ttl: int) -> None:
    with pytest.raises(errors.BadFrame):
        sessions.keep(alice.hash, session, ttl)


def test_an_unanswered_offer_can_not_be_kept_on(alice: Person, bob: Person) -> None:
    session, _ = offered(alice, bob)
    with pytest.raises(errors.NotOpen):
        sessions.keep(alice.hash, session, 900)


def test_an_expired_session_is_ended_for_every_verb(alice: Person, bob: Person) -> None:
    session, _ = offered(alice, bob)
    Session.objects.filter(id=session).update(expires_at=timezone.now())
    with pytest.raises(errors.Ended):
        sessions.answer(bob.hash, session, people.make_answer(session))
    with pytest.raises(errors.Ended):
        sessions.keep(alice.hash, session, 900)
    with pytest.raises(errors.Ended):
        sessions.route(alice.hash, session, 0.0)
    assert not sessions.leave(alice.hash, session).changed


def test_a_seal_half_is_made_once_for_each_side(alice: Person, bob: Person) -> None:
    body = people.make_offer(alice, bob)
    session = b64u.encode(hashlib.sha256(b"quarter/1 session" + body).digest())
    half = sessions.prepare(alice.hash, session)
    assert len(half) == 32
    assert sessions.prepare(alice.hash, session) == half
    sessions.offer(alice.hash, body)
    assert mailbox.look(alice.hash).sessions[0].half == half
    assert sessions.prepare(bob.hash, session) == mailbox.look(bob.hash).sessions[0].half != half


def test_an_ended_session_gives_no_seal_half(alice: Person, session: str) -> None:
    sessions.leave(alice.hash, session)
    with pytest.raises(errors.Ended):
        sessions.prepare(alice.hash, session)


def test_a_stranger_does_not_learn_that_a_session_ended(alice: Person, mallory: Person, session: str) -> None:
    sessions.leave(alice.hash, session)
    assert sessions.prepare(mallory.hash, session)


def test_a_seal_half_that_was_asked_for_again_is_young_again(alice: Person, bob: Person) -> None:
    body = people.make_offer(alice, bob)
    half = sessions.prepare(alice.hash, people.session_of(body))
    with time_machine.travel(timezone.now() + timedelta(seconds=899)):
        assert sessions.prepare(alice.hash, people.session_of(body)) == half
    with time_machine.travel(timezone.now() + timedelta(seconds=901)):
        expiry.sweep()
        sessions.offer(alice.hash, body)
        assert mailbox.look(alice.hash).sessions[0].half == half


def test_seal_halves_without_sessions_are_limited(alice: Person) -> None:
    for number in range(sessions.HALVES_PER_IDENTITY):
        sessions.prepare(alice.hash, f"{number:042d}A")
    sessions.prepare(alice.hash, f"{0:042d}A")
    with pytest.raises(errors.Full):
        sessions.prepare(alice.hash, "A" * 43)


def test_requests_are_limited_for_the_one_who_is_asked(
    small: None, alice: Person, bob: Person, mallory: Person
) -> None:
    offered(alice, bob)
    offered(mallory, bob)
    with pytest.raises(errors.Full):
        offered(people.meet("Carol"), bob)


def test_one_stranger_can_not_take_all_places_of_those_who_ask(
    alice: Person, bob: Person, mallory: Person
) -> None:
    for _ in range(sessions.OFFERS_PER_PAIR):
        offered(mallory, bob)
    with pytest.raises(errors.Full):
        offered(mallory, bob)
    offered(alice, bob)


def test_sessions_are_limited_for_the_one_who_asks(small: None, alice: Person, bob: Person) -> None:
    people.open_session(alice, bob)
    offered(alice, people.meet("Carol"))
    with pytest.raises(errors.Full) as refused:
        offered(alice, people.meet("Dave"))
    assert refused.value.retry_after


def test_sessions_are_limited_for_the_one_who_answers(
    small: None, alice: Person, bob: Person, mallory: Person
) -> None:
    people.open_session(alice, bob)
    people.open_session(bob, mallory)
    session, _ = offered(people.meet("Carol"), bob)
    with pytest.raises(errors.Full):
        sessions.answer(bob.hash, session, people.make_answer(session))


def test_ended_and_expired_sessions_make_room(small: None, alice: Person, bob: Person) -> None:
    for _ in range(3):
        sessions.leave(alice.hash, people.open_session(alice, bob))
    session, _ = offered(alice, bob)
    Session.objects.filter(id=session).update(expires_at=timezone.now())
    offered(alice, bob)
    offered(alice, people.meet("Carol"))


def test_a_key_is_found_by_its_hash_alone(alice: Person) -> None:
    assert sessions.key_of(alice.hash) == alice.modulus
    with pytest.raises(errors.NotFound):
        sessions.key_of("A" * 43)


def test_a_stranger_sees_no_session(mallory: Person, session: str) -> None:
    view = mailbox.look(mallory.hash, [session])
    assert not view.sessions
    assert not view.ended
    with pytest.raises(errors.Ended):
        sessions.route(mallory.hash, session, 0.0)


def test_each_side_sees_its_own_half_of_the_same_session(alice: Person, bob: Person, session: str) -> None:
    hers, his = mailbox.look(alice.hash).sessions[0], mailbox.look(bob.hash).sessions[0]
    assert (hers.role, hers.peer, his.role, his.peer) == (0, bob.hash, 1, alice.hash)
    assert hers.half != his.half
    assert 890 < hers.left <= 900


@pytest.mark.parametrize(
    "change",
    [
        {"responder_id": "initiator"},
        {"state": "lost"},
        {"state": "ended"},
        {"ended_why": "left"},
        {"state": "ended", "ended_why": "tired"},
        {"id": "short"},
    ],
    ids=str,
)
def test_the_database_itself_refuses_an_impossible_session(
    alice: Person, bob: Person, change: dict[str, str]
) -> None:
    now = timezone.now()
    fields: dict[str, Any] = {"id": "A" * 43, "initiator_id": alice.hash, "responder_id": bob.hash} | change
    if fields["responder_id"] == "initiator":
        fields["responder_id"] = alice.hash
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.create(
            **fields, ttl_seconds=900, created_at=now, last_activity_at=now, expires_at=now
        )


@pytest.mark.parametrize(
    "change",
    [{"seq": 2}, {"n": 0}, {"seq": 0}, {"sender": 2}, {"kind": "note"}, {"n": None}, {"kind": "offer"}],
    ids=str,
)
def test_the_database_itself_refuses_an_impossible_item(session: str, change: dict[str, Any]) -> None:
    now = timezone.now()
    good: dict[str, Any] = {"seq": 3, "sender": 0, "kind": "message", "n": 0}
    Item.objects.create(session_id=session, body=b"m", created_at=now, **good)
    other: dict[str, Any] = {"seq": 4, "sender": 0, "kind": "message", "n": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.create(session_id=session, body=b"m", created_at=now, **(other | change))
