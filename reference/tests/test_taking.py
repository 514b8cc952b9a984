"""A conversation without a server: Alice, the guest, and Bob, the owner, and whoever carries between them.

Alice is the initiator, as in `people`. What one side posts lies in `stream`; a test carries it over, or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from reference import beginning, content, handshake, sending, taking, trouble, wire
from reference.clock import Moment
from reference.content import Name
from reference.conversation import (
    Conversation,
    Ended,
    Event,
    Head,
    Received,
    Record,
    Restored,
    Step,
    TypingSeen,
)
from reference.store import Put
from reference.tests import people

LIMITS = wire.Limits(16384, 32768, 900, 60, 86400, 20, 10)
SECRET = b"a link's secret!"


@dataclass
class Side:
    """One side, and what its steps have written, sent and told."""

    it: Conversation
    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)
    frames: list[wire.Frame] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def apply(self, step: Step) -> None:
        self.it = step.conversation
        for write in step.writes:
            match write:
                case Put(store, key, value):
                    self.kept[store, key] = value
                case _:
                    pass
        self.frames += step.frames
        self.events += step.events

    def heard(self) -> list[str]:
        return [event.message.text for event in self.events if isinstance(event, Received)]

    def posts(self) -> list[wire.Post]:
        return [frame for frame in self.frames if isinstance(frame, wire.Post)]

    def over(self) -> str:
        return str(self.it.over)


class World:
    """Both, in an open conversation; `now` is what the clocks show."""

    def __init__(self) -> None:
        self.now = Moment(1_000_000.0, 50.0)
        #: The last place that was given out, and the places of what was stored.
        self.seq = 2
        self.places: dict[bytes, int] = {}
        alice, bob = people.alice(), people.bob()
        offer, pending = handshake.make_offer(alice, bob.hash, bob.modulus, SECRET)
        self.alice = self._side(beginning.offered(alice, pending, 900, self.now))
        read = handshake.read_offer(bob, offer)
        self.bob = self._side(beginning.answered(bob, read, SECRET, 900, self.now, link="link"))
        [answer] = [frame for frame in self.bob.frames if isinstance(frame, wire.Answer)]
        self.alice.apply(taking.took(self.alice.it, self.item(answer.body, "answer", 1), LIMITS, self.now))
        self.carry()
        assert self.alice.it.may_send
        assert self.bob.it.may_send

    @staticmethod
    def _side(step: Step) -> Side:
        side = Side(step.conversation)
        side.apply(step)
        return side

    def item(self, body: bytes, kind: Any = "message", sender: Any = 0) -> wire.Item:
        """In its place; what was never stored stands in that of the last that was."""
        return wire.Item(self.alice.it.session, self.places.get(body, self.seq), kind, sender, body)

    def give(self, side: Side, body: bytes) -> None:
        """The server brings these bytes to one side."""
        sender = int(side is self.alice)
        side.apply(taking.took(side.it, self.item(body, sender=sender), LIMITS, self.now))

    def store(self, side: Side) -> list[bytes]:
        """The server takes what one side has posted; the bodies."""
        posts, side.frames = (
            side.posts(),
            [frame for frame in side.frames if not isinstance(frame, wire.Post)],
        )
        for post in posts:
            side.apply(sending.stored(side.it, post.n, self.now))
            self.seq += 1
            self.places[post.body] = self.seq
        return [post.body for post in posts]

    def carry(self) -> None:
        """All that was posted arrives, until nobody has anything to say."""
        while self.alice.posts() or self.bob.posts():
            for side, other in ((self.alice, self.bob), (self.bob, self.alice)):
                for body in self.store(side):
                    self.give(other, body)

    def passes(self, seconds: float) -> None:
        """Time."""
        self.now = Moment(self.now.wall + seconds, self.now.mono + seconds)
        for side in (self.alice, self.bob):
            side.apply(taking.ticked(side.it, self.now))

    def says(self, side: Side, text: str) -> bytes:
        """One side says a text, and the server has it; its bytes."""
        side.apply(sending.said(side.it, text, self.now))
        return self.store(side)[-1]

    def restart(self, side: Side, kept: dict[tuple[str, str], bytes] | None = None) -> Side:
        """The side as another process finds it."""
        kept = side.kept if kept is None else kept
        session = side.it.session
        records = {
            Name(*map(int, key.rpartition("/")[2].split("."))): msgspec.msgpack.decode(value, type=Record)
            for (store, key), value in kept.items()
            if store == "record"
        }
        head = msgspec.msgpack.decode(kept["head", session], type=Head)
        waiting = {
            n: body for n, body in side.it.outbox.waiting.items() if ("outbox", f"{session}/{n}") in kept
        }
        return Side(beginning.restored(side.it.identity, head, records, waiting, self.now), dict(kept))


@pytest.fixture
def world() -> World:
    return World()


def message_of(side: Side) -> list[str]:
    return [message.text for message in side.it.messages]


# --- receipts -------------------------------------------------------------------------------------


def test_a_hello_is_answered_with_an_ack_at_once(world: World) -> None:
    assert world.alice.it.state is not None
    assert world.alice.it.state.taken == 1
    assert world.alice.it.state.seen == 1


def test_a_burst_has_one_ack_and_an_ack_has_none(world: World) -> None:
    for number in range(3):
        world.give(world.bob, world.says(world.alice, str(number)))
        world.passes(1.0)
    assert world.bob.posts() == []
    world.passes(1.0)
    assert len(world.bob.posts()) == 1
    world.carry()
    world.passes(30.0)
    assert world.alice.posts() == world.bob.posts() == []
    assert {world.alice.it.status(message) for message in world.alice.it.messages} == {"delivered"}


def test_an_ack_comes_within_twenty_seconds_of_a_burst_that_does_not_end(world: World) -> None:
    for _ in range(19):
        world.give(world.bob, world.says(world.alice, "and"))
        world.passes(1.0)
    assert world.bob.posts() == []
    world.passes(1.0)
    assert len(world.bob.posts()) == 1


def test_what_one_says_oneself_is_the_receipt(world: World) -> None:
    world.give(world.bob, world.says(world.alice, "question"))
    world.give(world.alice, world.says(world.bob, "answer"))
    world.passes(1.6)
    assert world.bob.posts() == []
    assert world.alice.it.status(world.alice.it.messages[0]) == "delivered"


# --- what a hostile server can do -----------------------------------------------------------------


def test_a_repeated_message_is_shown_once(world: World) -> None:
    body = world.says(world.alice, "once")
    for _ in range(3):
        world.give(world.bob, body)
    assert world.bob.heard() == ["once"]
    assert world.bob.it.over is None


def test_a_withheld_message_is_fetched_with_growing_pauses_and_then_it_is_broken(world: World) -> None:
    world.says(world.alice, "withheld")
    later = world.says(world.alice, "later")
    world.give(world.bob, later)
    fetches = []
    for _ in range(60):
        world.bob.frames.clear()
        world.passes(0.5)
        fetches.append(sum(isinstance(frame, wire.Resync) for frame in world.bob.frames))
        world.give(world.bob, later)
    assert world.bob.heard() == []
    assert 5 <= sum(fetches) <= 15
    assert sum(fetches[:10]) > sum(fetches[20:30])
    assert "a message is missing" in world.bob.over()


def test_a_withheld_message_that_comes_after_all_mends_it(world: World) -> None:
    first, second = world.says(world.alice, "first"), world.says(world.alice, "second")
    world.give(world.bob, second)
    world.passes(20.0)
    world.give(world.bob, first)
    world.give(world.bob, second)
    world.passes(20.0)
    assert world.bob.heard() == ["first", "second"]
    assert world.bob.it.over is None


def test_a_gap_fetches_after_the_last_that_was_taken(world: World) -> None:
    world.give(world.bob, world.says(world.alice, "taken"))
    cursor = world.bob.it.cursor
    world.says(world.alice, "withheld")
    world.give(world.bob, world.says(world.alice, "later"))
    world.passes(0.1)
    assert wire.Resync({world.bob.it.session: cursor}) in world.bob.frames


def test_a_place_far_ahead_loses_nothing(world: World) -> None:
    """The message is fetched until its place is true, and the cursor stays behind it."""
    before = world.bob.it.cursor
    body = world.says(world.alice, "first")
    true_place = world.seq
    ahead = wire.Item(world.alice.it.session, true_place + 1_000, "message", 0, body)
    world.bob.apply(taking.took(world.bob.it, ahead, LIMITS, world.now))
    assert (world.bob.heard(), world.bob.it.cursor) == ([], before)
    world.give(world.bob, body)
    world.bob.apply(taking.took(world.bob.it, ahead, LIMITS, world.now))
    world.passes(40.0)
    assert (world.bob.heard(), world.bob.it.cursor) == (["first"], true_place)
    assert world.bob.it.over is None


def test_places_that_stay_far_ahead_break_it_in_words(world: World) -> None:
    body = world.says(world.alice, "first")
    ahead = wire.Item(world.alice.it.session, world.seq + 1_000, "message", 0, body)
    world.bob.apply(taking.took(world.bob.it, ahead, LIMITS, world.now))
    world.passes(31.0)
    assert "a message is missing" in world.bob.over()
    assert world.bob.heard() == []


def test_a_spoiled_message_is_never_shown_and_breaks_it_after_half_a_minute(world: World) -> None:
    body = bytearray(world.says(world.alice, "spoiled"))
    body[-1] ^= 1
    world.give(world.bob, bytes(body))
    world.passes(29.0)
    assert world.bob.it.over is None
    world.give(world.bob, bytes(body))
    world.passes(1.0)
    assert "changed on its way" in world.bob.over()
    assert world.bob.heard() == []


def test_a_spoiled_message_that_comes_anew_is_taken(world: World) -> None:
    body = world.says(world.alice, "good")
    world.give(world.bob, body[:-1] + bytes([body[-1] ^ 1]))
    world.give(world.bob, body)
    world.passes(60.0)
    assert world.bob.heard() == ["good"]


def test_other_bytes_for_a_message_that_was_taken_break_it(world: World) -> None:
    body = world.says(world.alice, "one")
    world.give(world.bob, body)
    world.give(world.bob, body[:-1] + bytes([body[-1] ^ 1]))
    assert "other bytes" in world.bob.over()


def test_what_is_reflected_or_garbage_is_not_taken_for_the_peers(world: World) -> None:
    own = world.says(world.alice, "mine")
    for body in (own, b"garbage", own[:100], bytes([9]) + own[1:]):
        world.give(world.alice, body)
    assert world.alice.heard() == []
    assert world.alice.it.over is None


@pytest.mark.parametrize("is_spliced", [True, False], ids=["of another conversation", "of another version"])
def test_what_is_no_message_of_this_conversation_is_fetched_anew(world: World, is_spliced: bool) -> None:
    other = World()
    body = world.says(world.alice, "good")
    wrong = other.says(other.alice, "not for here") if is_spliced else bytes([9]) + body[1:]
    world.give(world.bob, wrong)
    world.passes(1.0)
    world.give(world.bob, body)
    world.passes(60.0)
    assert world.bob.heard() == ["good"]
    assert world.bob.it.over is None


def test_a_message_of_another_conversation_in_a_messages_place_breaks_it(world: World) -> None:
    other = World()
    world.give(world.bob, other.says(other.alice, "not for here"))
    world.passes(60.0)
    assert world.bob.heard() == []
    assert "changed on its way" in world.bob.over()


def test_once_broken_nothing_is_sent_but_the_wish_to_forget(world: World) -> None:
    body = world.says(world.alice, "one")
    world.give(world.bob, body)
    world.bob.frames.clear()
    world.give(world.bob, body[:-1] + bytes([body[-1] ^ 1]))
    world.passes(60.0)
    world.bob.apply(sending.said_bye(world.bob.it, world.now))
    kinds = {type(frame) for frame in world.bob.frames}
    assert kinds <= {wire.Leave, wire.Taken}


def test_an_answer_of_somebody_else_ends_the_attempt() -> None:
    now = Moment(0.0, 0.0)
    alice, bob, mallory = people.alice(), people.bob(), people.mallory()
    _, pending = handshake.make_offer(alice, bob.hash, bob.modulus, SECRET)
    other, _ = handshake.make_offer(alice, mallory.hash, mallory.modulus, SECRET)
    forged, _ = handshake.answer_offer(mallory, handshake.read_offer(mallory, other), SECRET)
    it = beginning.offered(alice, pending, 900, now).conversation
    step = taking.took(it, wire.Item(it.session, 2, "answer", 1, forged), LIMITS, now)
    assert isinstance(step.conversation.over, trouble.Broken)
    assert not [frame for frame in step.frames if isinstance(frame, wire.Post)]


@pytest.mark.parametrize("why", ["declined", "used", "removed"])
def test_the_servers_word_does_not_make_an_open_conversation_a_declined_one(world: World, why: Any) -> None:
    world.says(world.alice, "did you get this?")
    world.alice.apply(taking.ended(world.alice.it, why, world.now))
    assert isinstance(world.alice.it.over, trouble.Removed)
    [end] = [event for event in world.alice.events if isinstance(event, Ended)]
    assert [message.text for message in end.undelivered] == ["did you get this?"]


# --- reading again --------------------------------------------------------------------------------


def talked(world: World) -> None:
    """Three turns of each."""
    for number in range(3):
        for side, other in ((world.alice, world.bob), (world.bob, world.alice)):
            world.give(other, world.says(side, f"{number}"))


class Recorded(World):
    """A world that remembers all that was stored."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__()

    def store(self, side: Side) -> list[bytes]:
        bodies = super().store(side)
        self.bodies += bodies
        return bodies

    def bring_all(self, side: Side, bodies: list[bytes] | None = None) -> None:
        """The server brings its whole stream, and that this is all."""
        for body in self.bodies if bodies is None else bodies:
            self.give(side, body)
        side.apply(taking.caught_up(side.it, self.now))


@pytest.fixture
def recorded() -> Recorded:
    world = Recorded()
    talked(world)
    return world


def test_after_a_restart_both_halves_are_there_in_this_sides_order(recorded: Recorded) -> None:
    for side in (recorded.alice, recorded.bob):
        again = recorded.restart(side)
        recorded.bring_all(again)
        assert message_of(again) == message_of(side)
        [event] = [event for event in again.events if isinstance(event, Restored)]
        assert list(event.messages) == list(side.it.messages)
        assert again.heard() == []
        assert again.it.may_send


def test_nothing_is_shown_or_sent_before_all_is_there(recorded: Recorded) -> None:
    again = recorded.restart(recorded.bob)
    for body in recorded.bodies:
        recorded.give(again, body)
    recorded.passes(2.0)
    again.apply(taking.ticked(again.it, recorded.now))
    assert again.events == []
    assert again.posts() == []


def test_what_is_new_meanwhile_comes_after_what_was_there(recorded: Recorded) -> None:
    new = recorded.says(recorded.alice, "new")
    assert new == recorded.bodies[-1]
    again = recorded.restart(recorded.bob)
    recorded.bring_all(again)
    assert again.heard() == ["new"]
    [event] = [event for event in again.events if isinstance(event, Restored)]
    assert "new" not in [message.text for message in event.messages]
    assert again.events.index(event) < len(again.events) - 1


@pytest.mark.parametrize("missing", range(8))
def test_a_missing_message_breaks_it(recorded: Recorded, missing: int) -> None:
    again = recorded.restart(recorded.bob)
    recorded.bring_all(again, recorded.bodies[:missing] + recorded.bodies[missing + 1 :])
    assert isinstance(again.it.over, trouble.Broken)
    assert again.heard() == []


@pytest.mark.parametrize("changed", range(8))
def test_another_message_in_its_place_breaks_it(recorded: Recorded, changed: int) -> None:
    again = recorded.restart(recorded.bob)
    body = recorded.bodies[changed]
    recorded.bring_all(
        again,
        [*recorded.bodies[:changed], body[:-1] + bytes([body[-1] ^ 1]), *recorded.bodies[changed + 1 :]],
    )
    assert isinstance(again.it.over, trouble.Broken)


def test_a_stream_that_comes_twice_changes_nothing(recorded: Recorded) -> None:
    again = recorded.restart(recorded.alice)
    for body in recorded.bodies[:5]:
        recorded.give(again, body)
    recorded.bring_all(again)
    recorded.bring_all(again)
    assert message_of(again) == message_of(recorded.alice)


def test_what_was_not_stored_is_there_again_and_posted_with_the_same_bytes(recorded: Recorded) -> None:
    recorded.alice.apply(sending.said(recorded.alice.it, "unsent", recorded.now))
    [post] = recorded.alice.posts()
    again = recorded.restart(recorded.alice)
    recorded.bring_all(again)
    assert message_of(again)[-1] == "unsent"
    assert again.posts() == [post]


def test_a_state_that_was_rolled_back_is_noticed_by_the_server_count(recorded: Recorded) -> None:
    older = dict(recorded.alice.kept)
    recorded.give(recorded.bob, recorded.says(recorded.alice, "after the copy"))
    again = recorded.restart(recorded.alice, older)
    info = wire.SessionInfo(again.it.session, 0, again.it.head.peer, "open", 900, 800.0, 9, 5, bytes(32))
    again.apply(beginning.resumed(again.it, info, recorded.now))
    assert "older copy" in again.over()
    assert again.posts() == []


def test_a_state_that_was_rolled_back_is_noticed_by_ones_own_messages(recorded: Recorded) -> None:
    older = dict(recorded.alice.kept)
    recorded.give(recorded.bob, recorded.says(recorded.alice, "after the copy"))
    again = recorded.restart(recorded.alice, older)
    recorded.bring_all(again)
    assert "older copy" in again.over()


# --- posts that are refused -----------------------------------------------------------------------


def refusal(side: Side, n: int, code: Any, permanent: bool = False, later: float | None = None) -> wire.Error:
    return wire.Error(code, permanent, later, None, side.it.session, n)


def test_what_was_said_without_a_connection_is_posted_when_there_is_one(world: World) -> None:
    world.alice.apply(beginning.offline(world.alice.it, world.now))
    world.alice.apply(sending.said(world.alice.it, "unheard", world.now))
    world.alice.frames.clear()  # nobody was there to send them
    world.alice.apply(beginning.resumed(world.alice.it, None, world.now))
    assert [post.n for post in world.alice.posts()] == [1]


def test_a_conflict_breaks_it(world: World) -> None:
    world.alice.apply(sending.said(world.alice.it, "one", world.now))
    world.alice.apply(sending.refused(world.alice.it, refusal(world.alice, 1, "conflict", True), world.now))
    assert "older copy" in world.alice.over()


def test_too_fast_is_posted_again_when_the_server_said(world: World) -> None:
    for text in ("one", "two"):
        world.alice.apply(sending.said(world.alice.it, text, world.now))
    before = world.alice.posts()
    world.alice.frames.clear()
    for n, code in ((1, "too_fast"), (2, "gap")):
        error = refusal(world.alice, n, code, later=3.0 if code == "too_fast" else None)
        world.alice.apply(sending.refused(world.alice.it, error, world.now))
    world.passes(2.9)
    assert world.alice.posts() == []
    world.passes(0.2)
    assert world.alice.posts() == before[:1]
    world.alice.frames.clear()
    world.alice.apply(sending.stored(world.alice.it, 1, world.now))
    assert world.alice.posts() == before[1:]


def test_a_server_that_lost_what_it_had_stored_is_found_out(world: World) -> None:
    world.alice.apply(sending.said(world.alice.it, "one", world.now))
    for _ in range(40):
        world.alice.apply(sending.refused(world.alice.it, refusal(world.alice, 1, "gap"), world.now))
        world.passes(1.1)
    assert "lost messages" in world.alice.over()


# --- time -----------------------------------------------------------------------------------------


def test_the_hello_is_activity_so_a_late_answer_gives_a_whole_quarter_of_an_hour() -> None:
    now = Moment(0.0, 0.0)
    alice, bob = people.alice(), people.bob()
    offer, pending = handshake.make_offer(alice, bob.hash, bob.modulus, SECRET)
    it = beginning.offered(alice, pending, 900, now).conversation
    answer, _ = handshake.answer_offer(bob, handshake.read_offer(bob, offer), SECRET)
    late = Moment(890.0, 890.0)
    step = taking.took(it, wire.Item(it.session, 2, "answer", 1, answer), LIMITS, late)
    assert step.conversation.deadline.left_seconds(late) == 900.0


def test_after_a_sleep_nothing_is_taken_that_came_too_late(world: World) -> None:
    body = world.says(world.alice, "too late")
    world.now = Moment(world.now.wall + 1000.0, world.now.mono)
    world.give(world.bob, body)
    assert isinstance(world.bob.it.over, trouble.Expired)
    assert world.bob.heard() == []


def test_a_time_that_the_server_may_not_know_is_said_again(world: World) -> None:
    keeps = [frame for frame in world.alice.frames if isinstance(frame, wire.Keep)]
    world.alice.apply(sending.kept(world.alice.it, 1800, world.now))
    [keep] = [frame for frame in world.alice.frames if isinstance(frame, wire.Keep)]
    assert keeps == []
    world.alice.frames.clear()
    world.alice.apply(beginning.resumed(world.alice.it, None, world.now))
    assert [frame for frame in world.alice.frames if isinstance(frame, wire.Keep)] == [keep]
    world.alice.apply(sending.replied(world.alice.it, keep, wire.Ok(1), world.now))
    world.alice.frames.clear()
    world.alice.apply(beginning.resumed(world.alice.it, None, world.now))
    assert [frame for frame in world.alice.frames if isinstance(frame, wire.Keep)] == []


def test_it_ends_a_quarter_of_an_hour_after_its_last_message_whatever_the_server_says(world: World) -> None:
    world.passes(600.0)
    world.give(world.bob, world.says(world.alice, "still here"))
    world.passes(899.0)
    assert world.bob.it.over is None
    world.passes(1.0)
    assert isinstance(world.bob.it.over, trouble.Expired)
    assert isinstance(world.alice.it.over, trouble.Expired)


def test_acks_and_read_receipts_do_not_move_the_clock(world: World) -> None:
    world.give(world.bob, world.says(world.alice, "hello"))
    world.passes(100.0)
    world.carry()
    world.passes(800.0)
    assert isinstance(world.alice.it.over, trouble.Expired)


def test_a_day_is_the_end_however_much_is_said(world: World) -> None:
    for _ in range(24 * 6):
        world.give(world.bob, world.says(world.alice, "and on"))
        assert world.bob.it.over is None
        world.passes(600.0)
    assert isinstance(world.bob.it.over, trouble.Expired)


@pytest.mark.parametrize(("asked", "given"), [(1800, 1800), (1, 60), (10**9, 86400)])
def test_the_time_that_the_other_asks_for_is_kept_within_bounds(world: World, asked: int, given: int) -> None:
    step = Step(world.alice.it, world.now)
    sending.seal(step, content.Timer(0, seconds=min(asked, content.MAX_COUNT)))
    world.alice.apply(step)
    for body in world.store(world.alice):
        world.give(world.bob, body)
    assert world.bob.it.deadline.ttl_seconds == given


def test_the_clock_goes_on_while_nobody_runs(world: World) -> None:
    world.give(world.bob, world.says(world.alice, "hello"))
    world.now = Moment(world.now.wall + 899.0, 3.0)  # another boot: the monotonic clock began anew
    assert not world.restart(world.bob).it.deadline.is_over(world.now)
    world.now = Moment(world.now.wall + 2.0, 5.0)
    assert world.restart(world.bob).it.deadline.is_over(world.now)


# --- contents -------------------------------------------------------------------------------------


def test_what_is_not_understood_is_shown_as_such_and_a_read_receipt_not_at_all(world: World) -> None:
    for members in ({"t": "react", "at": 1, "seen": 1}, {"t": "read", "at": 1, "seen": 1}, {"t": "text"}):
        world.give(world.bob, forged(world, members))
    kinds = [(message.kind, message.text) for message in world.bob.it.messages]
    assert kinds == [("unknown", "react"), ("unreadable", "")]


def forged(world: World, members: Mapping[str, object]) -> bytes:
    """A message of Alice's with a content that this implementation does not write."""
    seen = world.alice.it.state.taken if world.alice.it.state else 0
    bye = content.Bye(0, seen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(content, "to_map", lambda what: members)
        patch.setattr(content, "_parse", lambda packed: bye)
        step = Step(world.alice.it, world.now)
        sending.seal(step, bye)
    world.alice.apply(step)
    return world.store(world.alice)[-1]


@pytest.mark.parametrize("said", [True, False])
def test_a_typing_sign_dies_after_six_seconds_or_at_the_next_message(world: World, said: bool) -> None:
    world.alice.apply(sending.typed(world.alice.it, True, world.now))
    shown = world.alice.frames.pop()
    assert isinstance(shown, wire.Volatile)
    for _ in range(2):  # the second one is a replay
        world.bob.apply(taking.showed(world.bob.it, shown.body, world.now))
        world.passes(2.9)
    assert world.bob.it.typing_until is not None
    if said:
        world.give(world.bob, world.says(world.alice, "done"))
    else:
        world.passes(0.2)
    assert world.bob.it.typing_until is None
    assert [event.on for event in world.bob.events if isinstance(event, TypingSeen)] == [True, False][
        : 2 - said
    ]


def test_after_a_restart_no_typing_sign_is_sent_before_the_next_message(recorded: Recorded) -> None:
    again = recorded.restart(recorded.alice)
    recorded.bring_all(again)
    again.apply(sending.typed(again.it, True, recorded.now))
    assert [frame for frame in again.frames if isinstance(frame, wire.Volatile)] == []
    again.apply(sending.said(again.it, "now", recorded.now))
    again.apply(sending.typed(again.it, True, recorded.now))
    assert len([frame for frame in again.frames if isinstance(frame, wire.Volatile)]) == 1


def test_a_bye_ends_it_for_good(world: World) -> None:
    world.alice.apply(sending.said_bye(world.alice.it, world.now))
    world.carry()
    assert "has left" in world.bob.over()
    world.bob.apply(sending.said_bye(world.bob.it, world.now))
    assert world.bob.posts() == []
