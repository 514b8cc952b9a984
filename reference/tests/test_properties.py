"""Whatever the two say, and whatever the network does with it (PROTOCOL §10, point 4).

Each run is one conversation: Hypothesis draws what happens in it, and afterwards everything is delivered. The
handshakes are made once and every run begins after one of them, with the hello on its way, since states are
values. What costs is the RSA opening at each change of turn.

PROPERTY_RUNS is the number of runs of each of the two properties. The default fits both into about half a
minute of one core; `make soak` sets 200,000.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference import message, ratchet
from reference.content import Ack, Hello, Name, Sendable, Stored, Text, Timer
from reference.identity import Identity
from reference.ratchet import Broken, Drop, Failed, Gap, Resend, Sealed, Taken, Verdict
from reference.state import State
from reference.tests.people import alice, bob, shake_hands
from reference.vectors.flaws import flipped

RUNS = int(os.environ.get("PROPERTY_RUNS", "1000"))

runs = settings(
    max_examples=RUNS,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass
class Side:
    """One of the two: what it holds, what it has said, and what it has read."""

    identity: Identity
    state: State
    sent: list[Sealed] = field(default_factory=list)
    read: list[Taken] = field(default_factory=list)

    def judge(self, data: bytes) -> Verdict:
        """The verdict about bytes, with the records of what was read."""
        return ratchet.take(self.identity, self.state, data, lambda n: self.read[n].digest)

    def send(self, content: Sendable) -> None:
        """Seal a message; the network has it from now on."""
        sealed = ratchet.seal(self.state, content)
        self.sent.append(sealed)
        self.state = sealed.state

    def take(self, data: bytes) -> None:
        """Take a message that must open."""
        verdict = self.judge(data)
        assert isinstance(verdict, Taken), verdict
        self.read.append(verdict)
        self.state = verdict.state

    def refuse(self, data: bytes, *kinds: type[Verdict]) -> None:
        """Refuse bytes, with one of these verdicts and nothing changed."""
        before = self.state.encode()
        assert isinstance(self.judge(data), kinds)
        assert self.state.encode() == before

    def reload(self) -> None:
        """Come back from the store."""
        self.state = State.decode(self.state.encode())


@dataclass
class World:
    """A conversation, its network, and another conversation of the same two, whose messages are only seen."""

    sides: tuple[Side, Side]
    elsewhere: tuple[list[bytes], list[bytes]]
    clock: Iterator[int] = field(default_factory=lambda: count(1))

    def on_its_way(self, receiver: int) -> list[Sealed]:
        """What the other has sent and this side has not read, in order."""
        return self.sides[1 - receiver].sent[len(self.sides[receiver].read) :]


@cache
def beginning(session: int) -> tuple[Sealed, State]:
    """The hello of a handshake, and the owner's state before it."""
    shaken = shake_hands()
    return ratchet.seal(shaken.guest, Hello(0)), shaken.owner


@cache
def elsewhere() -> tuple[list[bytes], list[bytes]]:
    """Some messages of each side's in another conversation."""
    hello, owner = beginning(-1)
    guest, host = Side(alice(), hello.state, sent=[hello]), Side(bob(), owner)
    for _ in range(3):
        host.take(guest.sent[-1].data)
        host.send(Text(5, text="elsewhere"))
        guest.take(host.sent[-1].data)
        guest.send(Text(5, text="elsewhere"))
    return [one.data for one in guest.sent], [one.data for one in host.sent]


def new_world(session: int) -> World:
    """A conversation whose hello is on its way."""
    hello, owner = beginning(session)
    return World((Side(alice(), hello.state, sent=[hello]), Side(bob(), owner)), elsewhere())


# --- what may happen -----------------------------------------------------------------------------------


def send(world: World, who: int, number: int) -> None:
    """Say something; the owner waits for the hello."""
    side = world.sides[who]
    at = next(world.clock)
    says: tuple[Sendable, ...] = (
        Text(at, text=f"{number} ü 💬"),
        Text(at, text="x" * (number % 500), reply=Name(number % 2, number)),
        Ack(at),
        Timer(at, seconds=number),
    )
    if who == 0 or side.read:
        side.send(says[number % len(says)])


def deliver(world: World, who: int, number: int) -> None:
    """Deliver the next messages, one to all; what comes after an offline spell comes at once."""
    for sealed in world.on_its_way(who)[: 1 + number % 5]:
        world.sides[who].take(sealed.data)


def answer(world: World, who: int, number: int) -> None:
    """All that is on its way is read, and answered: the turn changes."""
    deliver(world, who, 4)
    send(world, who, number)


def reload(world: World, who: int, number: int) -> None:
    """The page is opened anew."""
    world.sides[who].reload()


def resend(world: World, who: int, number: int) -> None:
    """A message that was read comes once more."""
    side = world.sides[who]
    if side.read:
        again = world.sides[1 - who].sent[number % len(side.read)]
        side.refuse(again.data, Resend)


def skip(world: World, who: int, number: int) -> None:
    """A message is dropped or overtaken: a later one comes first."""
    for sealed in world.on_its_way(who)[1 + number % 3 :]:
        assert world.sides[who].judge(sealed.data) == Gap(len(world.sides[who].read))
        world.sides[who].refuse(sealed.data, Gap)


def flip(world: World, who: int, number: int) -> None:
    """One bit of any message, read or not, is flipped."""
    sent = world.sides[1 - who].sent
    if sent:
        data = sent[number % len(sent)].data
        bit = number // len(sent) % (8 * len(data))
        world.sides[who].refuse(flipped(data, bit // 8, 1 << bit % 8), Drop, Gap, Failed, Broken)


def flip_the_next(world: World, who: int, number: int) -> None:
    """One bit of the very next message is flipped."""
    for sealed in world.on_its_way(who)[:1]:
        bit = number % (8 * len(sealed.data))
        world.sides[who].refuse(flipped(sealed.data, bit // 8, 1 << bit % 8), Drop, Gap, Failed, Broken)


def reflect(world: World, who: int, number: int) -> None:
    """A message comes back to its sender, as it is and as if it were the peer's."""
    side = world.sides[who]
    if side.sent:
        data = side.sent[number % len(side.sent)].data
        side.refuse(data, Drop)
        side.refuse(flipped(data, 34), Gap, Failed, Broken)


def swap(world: World, who: int, number: int) -> None:
    """A message of the same sender's comes from another conversation, as it is and under this one's id."""
    side, others = world.sides[who], world.elsewhere[1 - who]
    data = others[number % len(others)]
    side.refuse(data, Drop)
    side.refuse(data[:2] + side.state.session_id + data[34:], Gap, Failed, Broken)


def splice(world: World, who: int, number: int) -> None:
    """The header of the next message comes with the body of another one."""
    coming, sent = world.on_its_way(who), world.sides[1 - who].sent
    if coming and len(sent) > 1:
        other = sent[number % len(sent)]
        header, body = message.parse(coming[0].data).header, message.parse(other.data).body
        if other is not coming[0]:
            world.sides[who].refuse(header.encode() + body, Failed)


Event = Callable[[World, int, int], None]
FAIR: tuple[Event, ...] = (send, send, deliver, answer, answer, reload, resend)
HOSTILE: tuple[Event, ...] = (
    *(send, answer, answer, reload),
    *(skip, flip, flip_the_next, reflect, swap, splice),
)
WHO, NUMBER, SESSION = st.integers(0, 1), st.integers(0, 2**18), st.integers(0, 3)


def happenings(events: tuple[Event, ...]) -> st.SearchStrategy[list[tuple[Event, int, int]]]:
    """What happens in a run: little or much, as lists alone would seldom be long."""
    one = st.tuples(st.sampled_from(events), WHO, NUMBER)
    return st.lists(one, max_size=12) | st.lists(one, min_size=12, max_size=40)


def everything_arrives(world: World) -> None:
    """At last all is delivered: each has read what the other said, in its order, and can read it again."""
    for who in (0, 1):
        deliver(world, who, 4)
        while world.on_its_way(who):
            deliver(world, who, 4)
    for reader, writer in (world.sides, world.sides[::-1]):
        said: list[Stored] = [sealed.content for sealed in writer.sent]
        assert [taken.content for taken in reader.read] == said
        assert [taken.n for taken in reader.read] == list(range(len(said)))
        assert (reader.state.taken, writer.state.sent) == (len(said), len(said))
        for sealed, taken in zip(writer.sent, reader.read, strict=True):
            assert (sealed.digest, sealed.key) == (taken.digest, taken.key)
            assert ratchet.open_again(sealed.data, taken.key) == sealed.content
    keys = [sealed.key for side in world.sides for sealed in side.sent]
    assert len(set(keys)) == len(keys)


@runs
@given(SESSION, happenings(FAIR))
def test_any_interleaving_ends_with_both_transcripts_complete_and_equal(
    session: int, events: list[tuple[Event, int, int]]
) -> None:
    world = new_world(session)
    for event, who, number in events:
        event(world, who, number)
    everything_arrives(world)


@runs
@given(SESSION, happenings(HOSTILE))
def test_whatever_the_network_does_is_noticed_and_changes_nothing(
    session: int, events: list[tuple[Event, int, int]]
) -> None:
    world = new_world(session)
    for event, who, number in events:
        event(world, who, number)
    everything_arrives(world)
