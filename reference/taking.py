"""What comes from the other side and from the server, and what time alone does. No I/O.

An item that was taken is written down, then shown, then told to the server as `taken` (PROTOCOL §6, step 5):
that is the order of a Step's writes, events and frames.
"""

from dataclasses import replace

from reference import beginning, patience, ratchet, sending, transcript, trouble, wire
from reference import message as messages
from reference import volatile as volatiles
from reference.clock import Moment
from reference.content import Ack, Bye, Hello, Name, Stored, Timer, Unknown
from reference.conversation import (
    ACK_PAUSE_SECONDS,
    ACK_SECONDS,
    Changed,
    Conversation,
    Opened,
    Received,
    Restored,
    Step,
    TimerSet,
    TypingSeen,
)
from reference.errors import ProtocolError
from reference.transcript import Message

TYPING_SECONDS = 6.0

WHY_BROKEN = {
    "other-bytes": "a message came again with other bytes.",
    "hello": "it did not begin as it has to.",
    "seen": "the other side says to have messages that were never sent, or not to have what it had.",
}
WITHHELD = "a message is missing, and the server does not bring it."
SPOILED = "a message can't be opened; it was changed on its way."
FORGOTTEN = "the server does not have all of it any more."
REPLACED = "the server has other bytes for an earlier message."


def took(conversation: Conversation, item: wire.Item, limits: wire.Limits, now: Moment) -> Step:
    """An item of the stream came. That a hello may be taken at all was checked before (see links)."""
    step = ticked(conversation, now) if conversation.deadline.is_over(now) else Step(conversation, now)
    if step.conversation.over is None:
        if item.kind == "answer" and conversation.pending is not None:
            step = beginning.greeted(conversation, item.body, now)
        if item.kind != "message":
            _advance(step, item)
        elif conversation.state is None:
            _wait_for(step, WITHHELD)
        else:
            _take_message(step, item, limits)
    step.frames.append(wire.Taken(item.session, item.seq))
    return step


def ended(conversation: Conversation, why: wire.EndedWhy, now: Moment) -> Step:
    """The server says that it is over."""
    step = Step(conversation, now)
    is_open = conversation.head.phase == "open"
    match why:
        case "declined" if not is_open:
            step.end(trouble.Declined())
        case "used" if not is_open:
            step.end(trouble.LinkUsed())
        case "expired":
            step.end(trouble.Expired())
        case "left":
            step.end(trouble.Left("The conversation has ended, says the server."))
        case "erased":
            step.end(trouble.Erased("The conversation was erased, says the server."))
        case _:
            step.end(trouble.Removed())
    return step


def caught_up(conversation: Conversation, now: Moment) -> Step:
    """The server has sent all that it has: a transcript that is being read again is whole now, or broken."""
    step = Step(conversation, now)
    reading = conversation.reading
    if reading is not None and reading.missing:
        step.break_off(FORGOTTEN)
    elif reading is not None:
        step.change(reading=None)
        new = [event.message for event in reading.events if isinstance(event, Received)]
        old = tuple(message for message in conversation.messages if message not in new)
        step.events += [Restored(old), *reading.events]
        step.post()
    return step


def showed(conversation: Conversation, body: bytes, now: Moment) -> Step:
    """A volatile frame came."""
    step = Step(conversation, now)
    if conversation.state is not None and conversation.over is None:
        heard = volatiles.take(conversation.state, body, conversation.typing_heard)
        if heard is not None:
            counter, typing = heard
            until = now.mono + TYPING_SECONDS if typing.on else None
            step.change(typing_heard=counter, typing_until=until)
            step.tell(TypingSeen(typing.on))
    return step


def ticked(conversation: Conversation, now: Moment) -> Step:
    """A moment has passed."""
    step = Step(conversation, now)
    it = conversation
    if it.over is not None:
        return step
    if it.deadline.is_over(now):
        step.end(trouble.Expired())
        return step
    if it.typing_until is not None and it.typing_until <= now.mono:
        step.change(typing_until=None)
        step.tell(TypingSeen(False))
    if it.ask_again_at is not None and it.ask_again_at <= now.mono:
        step.change(ask_again_at=None)
        beginning.say_again(step)
    if it.may_send and it.ack_at is not None and it.ack_at <= now.mono:
        sending.acknowledge(step)
    _fetch_again(step)
    if step.conversation.over is None:
        step.post()
    return step


def _fetch_again(step: Step) -> None:
    waited = step.conversation.patience
    if waited is None or waited.next_at > step.now.mono:
        return
    if waited.is_over(step.now.mono):
        step.break_off(waited.reason)
        return
    step.change(patience=waited.again(step.now.mono))
    step.frames.append(wire.Resync({step.conversation.session: step.conversation.cursor}))


# --- a message ------------------------------------------------------------------------------------


def _take_message(step: Step, item: wire.Item, limits: wire.Limits) -> None:
    it = step.conversation
    try:
        header = messages.parse(item.body).header
    except ProtocolError:
        _wait_for(step, SPOILED)
        return
    if it.state is None or header.session_id != it.state.session_id:
        _wait_for(step, SPOILED)
        return
    name = Name(header.sender, header.n)
    if header.sender == it.state.sender:
        _meet_own(step, name, item)
    elif it.reading is not None and name in it.reading.missing:
        _read_again(step, name, item)
    else:
        _judge(step, item, limits)


def _meet_own(step: Step, name: Name, item: wire.Item) -> None:
    if name in step.conversation.records:
        _read_again(step, name, item)
    else:
        step.break_off(beginning.ROLLED_BACK)


def _read_again(step: Step, name: Name, item: wire.Item) -> None:
    """Its bytes must be those of the record; then they are shown in the recorded place."""
    it = step.conversation
    record = it.records[name]
    if messages.digest(item.body) != record.digest:
        step.break_off(REPLACED)
        return
    is_missing = it.reading is not None and name in it.reading.missing
    if _is_ahead(it, item, name):
        if is_missing:
            _wait_for(step, WITHHELD)
        return
    _advance(step, item)
    if it.reading is not None and is_missing:
        step.change(reading=replace(it.reading, missing=it.reading.missing - {name}))
        _show(step, name, ratchet.open_again(item.body, record.key), record.place)


def _judge(step: Step, item: wire.Item, limits: wire.Limits) -> None:
    it = step.conversation
    if it.state is None:
        return

    def digest_of(n: int) -> bytes | None:
        record = it.records.get(Name(1 - it.side, n))
        return record.digest if record else None

    verdict = ratchet.take(it.identity, it.state, item.body, digest_of)
    match verdict:
        case ratchet.Taken(n=n) if _is_ahead(it, item, Name(1 - it.side, n)):
            _wait_for(step, WITHHELD)
        case ratchet.Taken():
            _advance(step, item)
            _take_new(step, verdict, limits)
        case ratchet.Resend():
            pass
        case ratchet.Gap():
            _wait_for(step, WITHHELD)
        case ratchet.Failed() | ratchet.Drop():  # no honest server stores what is dropped
            _wait_for(step, SPOILED)
        case ratchet.Broken(code):
            step.break_off(WHY_BROKEN[code])


def _wait_for(step: Step, reason: str) -> None:
    """Fetch it (anew), unless that is under way already."""
    if step.conversation.patience is None:
        step.change(patience=patience.begin(reason, step.now.mono))


def _take_new(step: Step, taken: ratchet.Taken, limits: wire.Limits) -> None:
    """Write it down, then do what it says."""
    it = step.conversation
    was_open = it.head.phase == "open"
    seen_before = it.state.seen if it.state else 0
    content, name = taken.content, Name(1 - it.side, taken.n)
    step.change(state=taken.state, patience=None, typing_heard=-1, typing_until=None)
    keeping = it.head.keeping and not isinstance(content, Timer)
    if _is_activity(content):
        step.touch(_ttl(content, limits))
    place = step.record(name, taken.digest, taken.key)
    _owe(step, content)
    step.keep(phase="open", owes_ack=step.conversation.owed_since is not None, keeping=keeping)
    if not was_open:
        step.tell(Opened())
    _tell_delivered(step, seen_before, taken.state.seen)
    shown = _show(step, name, content, place)
    if shown is not None:
        step.tell(Received(shown))
    _obey(step, content, limits)


def _obey(step: Step, content: Stored, limits: wire.Limits) -> None:
    match content:
        case Hello() if step.conversation.may_send:
            sending.acknowledge(step)
        case Timer(seconds=seconds):
            step.tell(TimerSet(sending.within(seconds, limits), False))
        case Bye():
            step.end(trouble.Left("The other one has left. Everything of the conversation is deleted."))
        case _:
            pass


def _is_activity(content: Stored) -> bool:
    """What moves the clock: all but ack, and read, which this version does not know."""
    return not (isinstance(content, Ack) or (isinstance(content, Unknown) and content.t == "read"))


def _ttl(content: Stored, limits: wire.Limits) -> int | None:
    return sending.within(content.seconds, limits) if isinstance(content, Timer) else None


def _owe(step: Step, content: Stored) -> None:
    """An ack is owed for anything but an ack: a little after the last of a burst."""
    if isinstance(content, Ack):
        return
    now = step.now.mono
    since = step.conversation.owed_since
    since = now if since is None else since
    pause = 0.0 if isinstance(content, Hello) else ACK_PAUSE_SECONDS
    step.change(owed_since=since, ack_at=min(now + pause, since + ACK_SECONDS))


def _tell_delivered(step: Step, before: int, seen: int) -> None:
    numbers = tuple(
        message.n for message in step.conversation.messages if message.mine and before <= message.n < seen
    )
    if numbers:
        step.tell(Changed("delivered", numbers))


def _show(step: Step, name: Name, content: Stored, place: int) -> Message | None:
    """The line of the transcript that a content is, if it is one."""
    it = step.conversation
    shown = transcript.line(name, name.sender == it.side, content, place, step.now)
    if shown is not None:
        step.change(messages=transcript.ordered(it.messages, shown))
    return shown


def _is_ahead(it: Conversation, item: wire.Item, name: Name) -> bool:
    """Whether something that has not come would lie before it: its place is the server's word (DESIGN §4)."""
    if it.state is None:
        return False
    others = it.state.taken if name.sender == it.side else it.state.sent
    return item.seq > 3 + name.n + others


def _advance(step: Step, item: wire.Item) -> None:
    """Items up to this one need not be fetched again."""
    step.change(cursor=max(step.conversation.cursor, item.seq))
