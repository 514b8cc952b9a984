"""One side's conversation: what it is, what it keeps, and what a step of it gives. No I/O.

    guest   offering ── answer ──▶ greeting ── the owner's first message ──▶ open
    owner   answered ── hello ──▶ open

Something happens (a frame, a wish of the person's, a moment passes); a function of `taking`, `sending` or
`beginning` takes the conversation as it is and gives a Step: the conversation as it will be,
what to write down, which frames to send and what to tell the person. The caller commits the writes first and
then does the rest; where it can't commit, nothing has happened.

Frames in a Step are sent where there is a connection and forgotten where there is none: `beginning.resumed`
says again what has to be said on a new one. Requests have the number 0, the caller gives them their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec

from reference import clock, outbox, trouble, wire
from reference.clock import Deadline, Moment
from reference.content import Name
from reference.identity import Identity
from reference.outbox import Outbox
from reference.patience import Patience
from reference.state import Pending, State
from reference.store import Delete, Forget, Put, Write
from reference.transcript import Message
from reference.trouble import Over

Phase = Literal["offering", "greeting", "answered", "open"]
Status = Literal["waiting", "sent", "delivered", "received"]

#: A side that took something, and has nothing to say itself, says so: after a pause of the one who speaks,
#: so that a burst has one ack, and never later than PROTOCOL §7 allows.
ACK_PAUSE_SECONDS = 1.5
ACK_SECONDS = 20.0


class Head(msgspec.Struct, frozen=True):
    """What is kept of a conversation besides its messages.

    `link` is the key of the owner's link (see links), `keeping` says that the server may not know the time to
    live that this side has set, and `places` is how many records there are.
    """

    session: str
    peer: str
    phase: Phase
    by_link: bool
    began: float
    active: float
    ttl_seconds: int
    link: str | None = None
    name: str = ""
    compared: bool = False
    keeping: bool = False
    owes_ack: bool = False
    places: int = 0
    pending: bytes | None = None
    answer: bytes | None = None
    state: bytes | None = None


class Record(msgspec.Struct, frozen=True):
    """What is kept of a message (PROTOCOL §6, "Reading again"): its place, H(bytes), key ‖ nonce."""

    place: int
    digest: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """The conversation is open: both are there."""


@dataclass(frozen=True, slots=True)
class Restored:
    """After a restart, the transcript is there again; what is new comes after this."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """The peer said something."""

    message: Message


@dataclass(frozen=True, slots=True)
class Changed:
    """These own messages (their n) have a new status."""

    status: Status
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TypingSeen:
    """The peer is typing, or not any more."""

    on: bool


@dataclass(frozen=True, slots=True)
class TimerSet:
    """How long the conversation lives without a message, as one of the two has set it."""

    seconds: int
    mine: bool


@dataclass(frozen=True, slots=True)
class Held:
    """The server takes nothing more for now, with its code."""

    code: str


@dataclass(frozen=True, slots=True)
class Ended:
    """It is over, and these texts of one's own were never covered by a receipt."""

    over: Over
    undelivered: tuple[Message, ...]


Event = Opened | Restored | Received | Changed | TypingSeen | TimerSet | Held | Ended


@dataclass(frozen=True, slots=True)
class Reading:
    """A transcript that is read again: what is missing, and what the person is told when it is whole."""

    missing: frozenset[Name]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it is in memory. `over` is set for good when it has ended.

    `records` are those of all messages; `cursor` is the seq of the last item that was taken.
    Moments that end in `_at` are monotonic.
    """

    identity: Identity = field(repr=False)
    head: Head = field(repr=False)
    deadline: Deadline
    pending: Pending | None = field(default=None, repr=False)
    state: State | None = field(default=None, repr=False)
    records: Mapping[Name, Record] = field(default_factory=dict, repr=False)
    messages: tuple[Message, ...] = field(default=(), repr=False)
    outbox: Outbox = field(default_factory=Outbox, repr=False)
    cursor: int = 0
    reading: Reading | None = None
    patience: Patience | None = None
    stuck: Patience | None = None
    ask_again_at: float | None = None
    owed_since: float | None = None
    ack_at: float | None = None
    typing_counter: int | None = None
    typing_heard: int = -1
    typing_until: float | None = None
    over: Over | None = None

    @property
    def session(self) -> str:
        """The session id as text."""
        return self.head.session

    @property
    def side(self) -> int:
        """0 for the initiator, who is the guest, 1 for the responder."""
        return 0 if self.state is None else self.state.sender

    @property
    def may_send(self) -> bool:
        """Whether this side may seal a message now."""
        return self.head.phase == "open" and self.reading is None and self.over is None

    def status(self, message: Message) -> Status:
        """Where a message is."""
        if not message.mine:
            return "received"
        if self.state and message.n < self.state.seen:
            return "delivered"
        return "waiting" if message.n in self.outbox.waiting else "sent"

    def next_at(self, now: Moment) -> float:
        """The monotonic moment at which time alone changes something."""
        moments = [now.mono + self.deadline.left_seconds(now), self.ask_again_at, self.typing_until]
        if not self.outbox.under_way:
            moments.append(self.outbox.held_until)
        if self.may_send:
            moments.append(self.ack_at)
        if self.patience:
            moments.append(self.patience.next_at)
        return min(moment for moment in moments if moment is not None)


class Step:
    """What happens next; see the module. It grows while it is made, and is then the caller's."""

    def __init__(self, conversation: Conversation, now: Moment) -> None:
        self.now = now
        self.conversation = conversation
        self.writes: list[Write] = []
        self.frames: list[wire.Frame] = []
        self.events: list[Event] = []

    def change(self, **members: object) -> None:
        """The conversation with other members."""
        self.conversation = replace(self.conversation, **members)  # type: ignore[arg-type]

    def keep(self, **members: object) -> None:
        """The conversation with other members of its head, written down with the state as it is now."""
        it = self.conversation
        head = msgspec.structs.replace(
            it.head,
            began=it.deadline.began.wall,
            active=it.deadline.active.wall,
            ttl_seconds=it.deadline.ttl_seconds,
            pending=it.pending.encode() if it.pending else None,
            state=it.state.encode() if it.state else None,
            **members,
        )
        self.change(head=head)
        self.writes.append(Put("head", it.session, msgspec.msgpack.encode(head), it.session))

    def record(self, name: Name, digest: bytes, key: bytes) -> int:
        """Write a message's record; its place."""
        it = self.conversation
        place = it.head.places
        record = Record(place, digest, key)
        self.change(
            records={**it.records, name: record}, head=msgspec.structs.replace(it.head, places=place + 1)
        )
        self.writes.append(
            Put("record", f"{it.session}/{name.sender}.{name.n}", msgspec.msgpack.encode(record), it.session)
        )
        return place

    def put_out(self, n: int, body: bytes) -> None:
        """Keep the bytes of a message of one's own until the server has them."""
        it = self.conversation
        self.change(outbox=outbox.added(it.outbox, n, body))
        self.writes.append(Put("outbox", f"{it.session}/{n}", body, it.session))

    def tell(self, event: Event) -> None:
        """Tell the person, or as soon as the transcript is read again."""
        reading = self.conversation.reading
        if reading is None:
            self.events.append(event)
        else:
            self.change(reading=replace(reading, events=(*reading.events, event)))

    def touch(self, ttl_seconds: int | None = None) -> None:
        """Count something as activity."""
        self.change(deadline=self.conversation.deadline.touched(self.now, ttl_seconds))

    def post(self) -> None:
        """Post what waits, as far as it may."""
        it = self.conversation
        if it.reading is None and it.over is None:
            after, numbers = outbox.posted(it.outbox, self.now.mono)
            self.change(outbox=after)
            self.frames += [wire.Post(it.session, n, after.waiting[n]) for n in numbers]

    def stored(self, n: int) -> None:
        """The server has all up to n."""
        it = self.conversation
        after, gone = outbox.stored(it.outbox, n)
        self.change(outbox=after, stuck=None if gone else it.stuck)
        self.writes += [Delete("outbox", f"{it.session}/{each}") for each in gone]
        if gone:
            self.tell(Changed("sent", tuple(gone)))
        self.post()

    def end(self, over: Over, is_own_wish: bool = False) -> None:
        """The end, for good: all that was kept goes, and the session is never processed again.

        Who did not wish it is told which texts the other side has never said to have.
        """
        it = self.conversation
        if it.over is not None:
            return
        own = (message for message in it.messages if message.mine and it.status(message) != "delivered")
        self.change(over=over, reading=None)
        self.writes += [Forget(it.session), Put("processed", it.session, b"")]
        self.events.append(Ended(over, () if is_own_wish else tuple(own)))

    def break_off(self, reason: str) -> None:
        """It can't be trusted any more: the end, and the server may forget it."""
        if self.conversation.over is None:
            self.end(trouble.Broken(reason))
            self.frames = [wire.Leave(0, self.conversation.session)]


def deadline_of(head: Head, now: Moment) -> Deadline:
    """The deadline of a conversation that was kept."""
    return clock.restored(head.began, head.active, head.ttl_seconds, now)
