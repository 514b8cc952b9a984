"""How a conversation begins, and begins again on a new connection or after a restart. No I/O.

Each step is written down before any byte leaves (PROTOCOL §5), so that a client that was killed anywhere says
the same bytes again.
"""

from collections.abc import Mapping

from reference import b64u, clock, handshake, outbox, ratchet, transcript, wire
from reference.clock import Moment
from reference.content import Hello, Name
from reference.conversation import Conversation, Head, Reading, Record, Step, deadline_of
from reference.errors import ProtocolError
from reference.handshake import Offer
from reference.identity import Identity
from reference.outbox import Outbox
from reference.state import Pending, State
from reference.transcript import Message

ROLLED_BACK = "the server has messages of yours that this state does not know: it comes from an older copy."


def offered(identity: Identity, pending: Pending, ttl_seconds: int, now: Moment, name: str = "") -> Step:
    """The guest: an offer that is about to leave. The server's half must be here."""
    responder = pending.offer[34:66]
    head = Head(
        session=b64u.encode(pending.session_id),
        peer=b64u.encode(responder),
        phase="offering",
        by_link=pending.secret is not None,
        began=now.wall,
        active=now.wall,
        ttl_seconds=ttl_seconds,
        name=name,
    )
    step = Step(Conversation(identity, head, clock.begin(now, ttl_seconds), pending), now)
    step.keep()
    say_again(step)
    return step


def answered(
    identity: Identity,
    offer: Offer,
    secret: bytes | None,
    ttl_seconds: int,
    now: Moment,
    link: str | None = None,
    name: str = "",
) -> Step:
    """The owner: an answer that is about to leave; ProtocolError for an offer that fails a check.

    `secret` is that of the link (whose name is `link`) which verified, None where a person has consented.
    """
    answer, state = handshake.answer_offer(identity, offer, secret)
    head = Head(
        session=b64u.encode(offer.session_id),
        peer=b64u.encode(offer.initiator),
        phase="answered",
        by_link=secret is not None,
        began=now.wall,
        active=now.wall,
        ttl_seconds=ttl_seconds,
        link=link,
        name=name,
        answer=answer,
    )
    it = Conversation(identity, head, clock.begin(now, ttl_seconds), state=state, typing_counter=0)
    step = Step(it, now)
    step.keep()
    say_again(step)
    return step


def greeted(conversation: Conversation, answer: bytes, now: Moment) -> Step:
    """The guest takes the answer: the hello is sealed at once, and the handshake's secrets go."""
    step = Step(conversation, now)
    if conversation.pending is None:
        return step
    try:
        state = handshake.accept_answer(conversation.identity, conversation.pending, answer)
    except ProtocolError:
        step.break_off("the answer did not come from the one who gave the link or code.")
        return step
    sealed = ratchet.seal(state, Hello(round(now.wall * 1000)))
    step.change(pending=None, state=sealed.state, typing_counter=0)
    step.touch()
    step.record(Name(0, sealed.n), sealed.digest, sealed.key)
    step.put_out(sealed.n, sealed.data)
    step.keep(phase="greeting")
    step.post()
    return step


def restored(
    identity: Identity,
    head: Head,
    records: Mapping[Name, Record],
    waiting: Mapping[int, bytes],
    now: Moment,
) -> Conversation:
    """A conversation that was kept. What its records name has to be read again before anything is shown."""
    state = State.decode(head.state) if head.state else None
    pending = Pending.decode(head.pending) if head.pending else None
    own = 0 if state is None else state.sender
    missing = frozenset(name for name in records if name.sender != own or name.n not in waiting)
    return Conversation(
        identity=identity,
        head=head,
        deadline=deadline_of(head, now),
        pending=pending,
        state=state,
        records=records,
        messages=_waiting_lines(records, waiting, missing, now),
        outbox=Outbox(waiting),
        reading=Reading(missing),
        ack_at=now.mono if head.owes_ack else None,
        owed_since=now.mono if head.owes_ack else None,
    )


def _waiting_lines(
    records: Mapping[Name, Record], waiting: Mapping[int, bytes], missing: frozenset[Name], now: Moment
) -> tuple[Message, ...]:
    """What this side said and the server may not have: its bytes are here."""
    lines: tuple[Message, ...] = ()
    for name in records.keys() - missing:
        record = records[name]
        content = ratchet.open_again(waiting[name.n], record.key)
        line = transcript.line(name, True, content, record.place, now)
        lines = transcript.ordered(lines, line) if line else lines
    return lines


def resumed(conversation: Conversation, info: wire.SessionInfo | None, now: Moment) -> Step:
    """A connection is there: say again what may not have come through. `info` is what `ready` says of it."""
    step = offline(conversation, now)  # what was said without a connection is not under way
    it = conversation
    if it.state is not None and info is not None and info.next_n > it.state.sent:
        step.break_off(ROLLED_BACK)
        return step
    say_again(step)
    step.post()
    return step


def offline(conversation: Conversation, now: Moment) -> Step:
    """The connection is gone. Nothing is missed while nothing can come."""
    step = Step(conversation, now)
    step.change(outbox=outbox.offline(conversation.outbox), patience=None, stuck=None, ask_again_at=None)
    return step


def say_again(step: Step) -> None:
    """Say once more what the server may not have: the offer, the answer, how long to live."""
    it = step.conversation
    if it.pending is not None:
        step.frames.append(wire.Offer(0, it.pending.offer))
    elif it.head.phase == "answered" and it.head.answer is not None:
        step.frames.append(wire.Answer(0, it.session, it.head.answer))
    elif it.head.keeping:
        step.frames.append(wire.Keep(0, it.session, it.deadline.ttl_seconds))
