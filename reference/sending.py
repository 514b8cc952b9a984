"""What this side says: contents sealed and posted, and what the server answers. No I/O."""

from reference import outbox, patience, ratchet, trouble, wire
from reference import volatile as volatiles
from reference.clock import DAY_SECONDS, Moment
from reference.content import Ack, Bye, Name, Sendable, Text, Timer, Typing
from reference.conversation import Conversation, Held, Step, TimerSet
from reference.errors import ProtocolError
from reference.transcript import Message

#: What the server may refuse for a while.
PAUSE_SECONDS = 1.0
OLDER_COPY = "the server has other bytes of yours in this place; the state is an older copy."
BYTES_LOST = "the server has lost messages that it had said to have stored."


def said(conversation: Conversation, text: str, now: Moment, reply: Name | None = None) -> Step:
    """Say a text. ProtocolError `too-long` or `content`: it can't be written; `turn`: it is not open."""
    step = Step(conversation, now)
    n = seal(step, Text(_at(now), text=text, reply=reply))
    place = step.conversation.records[Name(conversation.side, n)].place
    message = Message(conversation.side, n, True, "text", text, _at(now) / 1000, place, reply)
    step.change(messages=(*step.conversation.messages, message))
    return step


def kept(conversation: Conversation, seconds: int, now: Moment) -> Step:
    """Let the conversation go on, so long from now and from each later message."""
    step = Step(conversation, now)
    seal(step, Timer(_at(now), seconds=seconds), seconds)
    step.keep(keeping=True)
    step.frames.append(wire.Keep(0, conversation.session, seconds))
    step.tell(TimerSet(seconds, True))
    return step


def said_bye(conversation: Conversation, now: Moment) -> Step:
    """The last message; after it, nothing more is said."""
    step = Step(conversation, now)
    if conversation.may_send:
        seal(step, Bye(_at(now)))
    return step


def left(conversation: Conversation, now: Moment) -> Step:
    """The end, by this side's wish."""
    step = Step(conversation, now)
    step.end(trouble.Left(), is_own_wish=True)
    return step


def acknowledge(step: Step) -> None:
    """Say what was taken, where there is nothing else to say."""
    seal(step, Ack(_at(step.now)))


def typed(conversation: Conversation, on: bool, now: Moment) -> Step:
    """Say that this side is typing; nothing happens where the protocol has no key for it."""
    step = Step(conversation, now)
    state, counter = conversation.state, conversation.typing_counter
    if conversation.may_send and counter is not None and state is not None and state.sending is not None:
        step.frames.append(wire.Volatile(conversation.session, volatiles.seal(state, counter, Typing(on))))
        step.change(typing_counter=counter + 1)
    return step


def seal(step: Step, what: Sendable, ttl_seconds: int | None = None) -> int:
    """Seal a content and put it out; its n. Everything but an ack counts as activity."""
    it = step.conversation
    if it.state is None:
        raise ProtocolError("turn")
    sealed = ratchet.seal(it.state, what)
    if not isinstance(what, Ack):
        step.touch(ttl_seconds)
    step.change(state=sealed.state, typing_counter=0, owed_since=None, ack_at=None)
    step.record(Name(it.state.sender, sealed.n), sealed.digest, sealed.key)
    step.put_out(sealed.n, sealed.data)
    step.keep(owes_ack=False)
    step.post()
    return sealed.n


def stored(conversation: Conversation, n: int, now: Moment) -> Step:
    """The server has all messages up to n on its disk."""
    step = Step(conversation, now)
    step.stored(n)
    return step


def within(seconds: int, limits: wire.Limits) -> int:
    """A time to live within the server's bounds, and within a day whatever it says."""
    longest = min(limits.ttl_max_seconds, DAY_SECONDS)
    return max(min(seconds, longest), min(limits.ttl_min_seconds, longest))


def refused(conversation: Conversation, error: wire.Error, now: Moment) -> Step:
    """The server did not take a post."""
    step = Step(conversation, now)
    it = conversation
    if error.n is None or error.n not in it.outbox.waiting:
        return step
    if error.code == "conflict":
        step.break_off(OLDER_COPY)
    elif error.code == "ended":
        step.change(outbox=outbox.refused(it.outbox, error.n, now.mono + PAUSE_SECONDS))
        step.frames.append(wire.Resync({it.session: it.cursor}))
    elif error.permanent:
        step.break_off(f"the server refuses what it should take ({error.code}).")
    else:
        _hold(step, error)
    return step


def _hold(step: Step, error: wire.Error) -> None:
    """Come back later; a gap before the first that waits can't be closed by this side."""
    it = step.conversation
    if error.n is None:
        return
    pause = error.retry_after if error.retry_after is not None else PAUSE_SECONDS
    if error.code == "gap" and error.n == it.outbox.first:
        stuck = it.stuck or patience.begin(BYTES_LOST, step.now.mono)
        if stuck.is_over(step.now.mono):
            step.break_off(stuck.reason)
            return
        step.change(stuck=stuck)
    elif error.code in ("full", "unavailable"):
        step.tell(Held(error.code))
    step.change(outbox=outbox.refused(it.outbox, error.n, step.now.mono + pause))


def replied(conversation: Conversation, request: wire.Frame, reply: wire.SendReply, now: Moment) -> Step:
    """The server's answer to an offer, an answer or a keep of this conversation."""
    step = Step(conversation, now)
    if conversation.over is not None:
        return step
    is_later = isinstance(reply, wire.Error) and not reply.permanent
    if isinstance(request, wire.Keep) and not is_later:
        step.keep(keeping=False)  # refused or not: both sides have the sealed message
    elif isinstance(reply, wire.Error):
        _meet_refusal(step, request, reply)
    return step


def _meet_refusal(step: Step, request: wire.Frame, reply: wire.Error) -> None:
    session = step.conversation.session
    if not reply.permanent:
        pause = reply.retry_after if reply.retry_after is not None else PAUSE_SECONDS
        step.change(ask_again_at=step.now.mono + pause)
        step.tell(Held(reply.code))
    elif reply.code == "ended":
        step.frames.append(wire.Resync({session: 0}))  # it is told why
    elif reply.code == "not_found":
        step.end(trouble.Unknown())
    elif reply.code == "conflict":
        step.break_off(OLDER_COPY)
    elif isinstance(request, wire.Offer | wire.Answer):
        step.end(trouble.Removed(f"The server refused the conversation ({reply.code})."))


def _at(now: Moment) -> int:
    return round(now.wall * 1000)
