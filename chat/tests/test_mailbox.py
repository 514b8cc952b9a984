"""Messages are stored once, in order, each with its own answer."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chat import errors, mailbox, sessions
from chat.mailbox import Post, Stored
from chat.models import Item, Session
from chat.tests import people
from chat.tests.people import Person
from messenger.tests import races

pytestmark = pytest.mark.django_db


def post(session: str, who: Person, side: int, n: int, body: bytes | None = None) -> Post:
    return Post(session, who.hash, side, n, body or people.make_message(session, side, n))


def codes(results: Sequence[mailbox.Result]) -> list[object]:
    return [each.seq if isinstance(each, Stored) else each.code for each in results]


def items_after(session: str, cursor: int, limit: int) -> list[mailbox.Row]:
    """Of one session."""
    return mailbox.read_after([mailbox.Wanted(session, cursor, limit)]).get(session, [])


def test_messages_follow_offer_and_answer_without_gaps(alice: Person, bob: Person, session: str) -> None:
    posts = [post(session, alice, 0, 0), post(session, bob, 1, 0), post(session, alice, 0, 1)]
    assert codes(mailbox.post_batch(posts)) == [3, 4, 5]
    read = items_after(session, 2, 9)
    assert [(each.seq, each.sender, each.body) for each in read] == [
        (3, 0, posts[0].body),
        (4, 1, posts[1].body),
        (5, 0, posts[2].body),
    ]


def test_a_stored_message_names_its_reader(alice: Person, bob: Person, session: str) -> None:
    assert mailbox.post_batch([post(session, alice, 0, 0)]) == [Stored(bob.hash, 3)]


def test_the_same_bytes_again_are_stored_and_change_nothing(alice: Person, session: str) -> None:
    message = post(session, alice, 0, 0)
    mailbox.post_batch([message])
    before = Session.objects.values().get(id=session)
    assert codes(mailbox.post_batch([message, message])) == [None, None]
    assert Session.objects.values().get(id=session) == before


def test_the_same_bytes_twice_in_one_batch_are_stored_once(alice: Person, session: str) -> None:
    message = post(session, alice, 0, 0)
    assert codes(mailbox.post_batch([message, message])) == [3, None]
    assert Item.objects.filter(kind="message").count() == 1


def test_other_bytes_under_the_same_n_are_a_conflict(alice: Person, session: str) -> None:
    first = post(session, alice, 0, 0)
    assert codes(mailbox.post_batch([first, post(session, alice, 0, 0)])) == [3, "conflict"]
    assert codes(mailbox.post_batch([post(session, alice, 0, 0), first])) == ["conflict", None]


def test_an_n_above_the_next_is_a_gap_that_may_close(alice: Person, session: str) -> None:
    second = post(session, alice, 0, 1)
    assert codes(mailbox.post_batch([second])) == ["gap"]
    assert codes(mailbox.post_batch([post(session, alice, 0, 0), second])) == [3, 4]


def test_a_bad_post_never_spoils_its_batch(alice: Person, bob: Person, mallory: Person, session: str) -> None:
    posts = [
        post(session, mallory, 0, 0),
        post(session, alice, 0, 0),
        post(session, alice, 0, 7),
        post("A" * 43, alice, 0, 0),
        post(session, bob, 0, 0),
        post(session, bob, 1, 0),
    ]
    assert codes(mailbox.post_batch(posts)) == ["ended", 3, "gap", "ended", "bad_envelope", 4]


def test_a_row_that_the_database_refuses_never_spoils_its_batch(
    alice: Person, bob: Person, session: str
) -> None:
    now = timezone.now()
    Item.objects.create(session_id=session, seq=9, sender=1, kind="message", n=0, body=b"x", created_at=now)
    posts = [post(session, alice, 0, 0), post(session, bob, 1, 0), post(session, alice, 0, 1)]
    assert codes(mailbox.post_batch(posts)) == [3, "unavailable", 4]
    with pytest.raises(IntegrityError):
        mailbox.post_batch([post(session, bob, 1, 0)])


def test_an_unanswered_offer_takes_no_messages_yet(alice: Person, bob: Person) -> None:
    session = sessions.offer(alice.hash, people.make_offer(alice, bob)).session
    assert codes(mailbox.post_batch([post(session, alice, 0, 0)])) == ["not_open"]


def test_an_ended_session_refuses_new_messages(alice: Person, bob: Person, session: str) -> None:
    sessions.leave(bob.hash, session)
    assert codes(mailbox.post_batch([post(session, alice, 0, 0)])) == ["ended"]


def test_an_expired_session_refuses_new_messages_before_it_is_swept(alice: Person, session: str) -> None:
    message = post(session, alice, 0, 0)
    with time_machine.travel(timezone.now() + timedelta(seconds=900)):
        assert codes(mailbox.post_batch([message])) == ["ended"]
        assert items_after(session, 0, 9) == []
        assert mailbox.look(alice.hash).sessions == ()


def test_a_message_moves_the_end_of_its_session(alice: Person, session: str) -> None:
    before = Session.objects.get(id=session)
    with time_machine.travel(before.last_activity_at + timedelta(seconds=600), tick=False):
        mailbox.post_batch([post(session, alice, 0, 0)])
    after = Session.objects.get(id=session)
    assert after.expires_at - before.expires_at == timedelta(seconds=600)


def test_a_refused_or_repeated_message_moves_nothing(alice: Person, session: str) -> None:
    message = post(session, alice, 0, 0)
    mailbox.post_batch([message])
    before = Session.objects.get(id=session)
    with time_machine.travel(before.last_activity_at + timedelta(seconds=600), tick=False):
        mailbox.post_batch([message, post(session, alice, 0, 9)])
    assert Session.objects.get(id=session).expires_at == before.expires_at


@pytest.mark.parametrize(("items", "expected"), [(3, "full"), (4, 4), (5, 4)])
def test_a_session_holds_so_many_items(
    settings: Any, alice: Person, session: str, items: int, expected: object
) -> None:
    settings.LIMITS = replace(settings.LIMITS, session_items=items)
    posts = [post(session, alice, 0, 0), post(session, alice, 0, 1)]
    assert codes(mailbox.post_batch(posts)) == [3, expected]


@pytest.mark.parametrize(("spare", "expected"), [(-1, "full"), (0, 3), (1, 3)])
def test_a_session_holds_so_many_bytes(
    settings: Any, alice: Person, session: str, spare: int, expected: object
) -> None:
    message = post(session, alice, 0, 0)
    stored = Session.objects.get(id=session).stored_bytes
    settings.LIMITS = replace(settings.LIMITS, session_bytes=stored + len(message.body) + spare)
    assert codes(mailbox.post_batch([message])) == [expected]


def test_a_full_session_says_to_come_back_when_it_is_over(settings: Any, alice: Person, session: str) -> None:
    settings.LIMITS = replace(settings.LIMITS, session_items=2)
    row = Session.objects.get(id=session)
    with time_machine.travel(row.expires_at - timedelta(seconds=300), tick=False):
        [full] = mailbox.post_batch([post(session, alice, 0, 0)])
    assert isinstance(full, errors.Full)
    assert full.retry_after == 300
    with time_machine.travel(row.expires_at, tick=False):
        assert codes(mailbox.post_batch([post(session, alice, 0, 0)])) == ["ended"]


def test_a_batch_costs_few_statements(alice: Person, bob: Person, session: str) -> None:
    posts = [post(session, alice, 0, n) for n in range(50)] + [post(session, bob, 1, n) for n in range(50)]
    with CaptureQueriesContext(connection) as few:
        mailbox.post_batch(posts[:1] + posts[50:51])
    with CaptureQueriesContext(connection) as many:
        mailbox.post_batch(posts[1:50] + posts[51:])
    assert len(many) == len(few)


def test_trouble_with_the_database_stores_nothing(
    alice: Person, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OperationalError

    monkeypatch.setattr(mailbox, "_compare", fail)
    with pytest.raises(OperationalError):
        mailbox.post_batch([post(session, alice, 0, 0)])
    assert Item.objects.count() == 2


def test_reading_gives_at_most_what_was_asked_for(alice: Person, session: str) -> None:
    mailbox.post_batch([post(session, alice, 0, n) for n in range(5)])
    assert [each.seq for each in items_after(session, 3, 2)] == [4, 5]


@hypothesis_settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_whatever_is_posted_seq_and_n_have_no_gaps(alice: Person, bob: Person, data: st.DataObject) -> None:
    session = people.open_session(alice, bob)
    bodies = {
        (side, n, kind): people.make_message(session, side, n)
        for side in (0, 1)
        for n in range(6)
        for kind in "ab"
    }
    a_post = st.sampled_from(sorted(bodies)).map(
        lambda key: Post(session, (alice, bob)[key[0]].hash, key[0], key[1], bodies[key])
    )
    stored: dict[tuple[int, int], bytes] = {}
    for batch in data.draw(st.lists(st.lists(a_post, min_size=1, max_size=8), max_size=6)):
        for each, result in zip(batch, mailbox.post_batch(batch), strict=True):
            expected_n = sum(side == each.side for side, _ in stored)
            if isinstance(result, Stored):
                assert each.n <= expected_n
                assert stored.setdefault((each.side, each.n), each.body) == each.body
            elif each.n > expected_n:
                assert isinstance(result, errors.Gap)
            else:
                assert isinstance(result, errors.Conflict)
                assert stored[each.side, each.n] != each.body
    rows = list(Item.objects.filter(session=session).order_by("seq"))
    assert [row.seq for row in rows] == list(range(1, len(stored) + 3))
    for side in (0, 1):
        sent = [row for row in rows if row.sender == side and row.kind == "message"]
        assert [row.n for row in sent] == list(range(len(sent)))
        assert all(bytes(row.body) == stored[side, row.n] for row in sent if row.n is not None)
    sessions.leave(alice.hash, session)
    Session.objects.filter(id=session).delete()


def test_posts_from_many_threads_leave_no_gap(alice: Person, bob: Person, session: str) -> None:
    together = threading.Barrier(4)

    def send(side: int, offset: int) -> list[object]:
        try:
            together.wait(races.SECONDS)
            who = (alice, bob)[side]
            batches = [[post(session, who, side, n, bodies[side, n])] for n in range(10)]
            return [code for batch in batches for code in codes(mailbox.post_batch(batch))]
        finally:
            connection.close()

    bodies = {(side, n): people.make_message(session, side, n) for side in (0, 1) for n in range(10)}
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(send, side, copy) for side in (0, 1) for copy in (0, 1)]
        answers = [run.result() for run in runs]
    seqs = [seq for answer in answers for seq in answer if seq is not None]
    assert sorted(seqs, key=str) == sorted(range(3, 23), key=str)


def test_of_two_answers_at_once_one_opens_the_session(alice: Person, bob: Person) -> None:
    session = sessions.offer(alice.hash, people.make_offer(alice, bob)).session
    together = threading.Barrier(2)

    def answer() -> str:
        try:
            together.wait(races.SECONDS)
            sessions.answer(bob.hash, session, people.make_answer(session))
        except errors.Conflict as error:
            return error.code
        finally:
            connection.close()
        return "ok"

    with ThreadPoolExecutor(2) as pool:
        results = [each.result() for each in [pool.submit(answer) for _ in range(2)]]
    assert sorted(results) == ["conflict", "ok"]


def test_of_many_offers_at_once_no_more_than_allowed_are_taken(
    settings: Any, alice: Person, bob: Person
) -> None:
    settings.LIMITS = replace(settings.LIMITS, sessions=3)
    together = threading.Barrier(6)
    offers = [people.make_offer(alice, bob) for _ in range(6)]

    def offer(body: bytes) -> str:
        try:
            together.wait(races.SECONDS)
            sessions.offer(alice.hash, body)
        except errors.Full as error:
            return error.code
        finally:
            connection.close()
        return "ok"

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(offer, offers))
    assert sorted(results) == ["full"] * 3 + ["ok"] * 3


def test_many_are_read_at_once_each_from_its_own_place(alice: Person, bob: Person) -> None:
    carol = people.meet("Carol")
    first, second, third = (
        people.open_session(*pair) for pair in ((alice, bob), (bob, carol), (carol, alice))
    )
    wanted = [mailbox.Wanted(first, 0, 1), mailbox.Wanted(second, 1, 9), mailbox.Wanted(third, 2, 9)]
    found = mailbox.read_after(wanted)
    seqs = {session: [row.seq for row in rows] for session, rows in found.items()}
    assert seqs == {first: [1], second: [2]}
