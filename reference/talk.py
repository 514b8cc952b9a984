"""A conversation as a bot or a terminal has it: say, hear, wait, leave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Protocol

from reference import b64u, clock, safety, sending, taking, trouble, wire
from reference.content import MAX_TEXT_BYTES, Name
from reference.conversation import Conversation, Event, Received, Status, Step
from reference.errors import ProtocolError
from reference.stream import Stream
from reference.transcript import Message

OUTBOX_MAX = 64
LEAVE_SECONDS = 3.0


class Engine(Protocol):
    """What a talk needs of its client."""

    @property
    def limits(self) -> wire.Limits:
        """What the server takes."""

    def apply(self, talk: "Talk", step: Step) -> None:
        """Make a step: commit, tell, send."""

    async def leave(self, session: str) -> None:
        """Ask the server to forget a session."""


class Talk:
    """One conversation. `async for message in talk` gives what the other side says, until the end.

    `over` says why it has ended (a trouble.Over) and is None while it lives.
    """

    def __init__(self, engine: Engine, state: Conversation) -> None:
        self._engine = engine
        self._events: Stream[Event] = Stream()
        self._changed = asyncio.Event()
        self._leaving = False
        self._failure: Exception | None = None
        self.state = state

    @property
    def session(self) -> str:
        """The session id, 43 characters."""
        return self.state.session

    @property
    def name(self) -> str:
        """What this side calls the other: the name of the link, or the beginning of its code."""
        return self.state.head.name or self.state.head.peer[:6]

    @property
    def peer(self) -> str:
        """The other side's code."""
        return self.state.head.peer

    @property
    def is_open(self) -> bool:
        """Whether both are there and the transcript is whole."""
        return self.state.may_send

    @property
    def is_verified(self) -> bool:
        """Whether a link, or comparing safety numbers, has shown who the other is."""
        return self.state.head.by_link or self.state.head.compared

    @property
    def over(self) -> trouble.Over | None:
        """Why it has ended."""
        return self.state.over

    @property
    def messages(self) -> tuple[Message, ...]:
        """The transcript, in this side's order."""
        return self.state.messages

    def safety_number(self) -> tuple[str, ...]:
        """Twelve groups of five digits, the same on both sides (PROTOCOL §8)."""
        return safety.groups(self.state.identity.hash, b64u.decode(self.peer))

    def status(self, message: Message) -> Status:
        """Where a message is: waiting, sent (on the server's disk), delivered, or received."""
        return self.state.status(message)

    async def say(self, text: str, reply: Message | None = None) -> Message:
        """Say a text: it is on this side's disk when this returns. ValueError for what can't be said; Over.

        Waits until the conversation is open, and while too much is on its way.
        """
        self._look_at_the_clock()
        await self.wait(lambda: self.is_open and len(self.state.outbox.waiting) < OUTBOX_MAX)
        if len(text.encode(errors="replace")) > min(MAX_TEXT_BYTES, self._engine.limits.text_bytes):
            raise ValueError("This text is too long.")
        name = Name(reply.sender, reply.n) if reply else None
        try:
            step = sending.said(self.state, text, clock.now(), name)
        except ProtocolError as error:
            raise ValueError("This text can't be sent.") from error
        self._engine.apply(self, step)
        return step.conversation.messages[-1]

    async def keep(self, seconds: int | None = None) -> int:
        """Let it live so long from now and after each message; without a number as long as it did. Over."""
        self._look_at_the_clock()
        await self.wait(lambda: self.is_open)
        limits = self._engine.limits
        chosen = sending.within(seconds or self.state.deadline.ttl_seconds, limits)
        self._engine.apply(self, sending.kept(self.state, chosen, clock.now()))
        return chosen

    def typing(self, on: bool) -> None:
        """Show, or show no more, that this side is typing. Four a second at most."""
        self._engine.apply(self, sending.typed(self.state, on, clock.now()))

    def compared(self) -> None:
        """The two have compared their safety numbers, and they are the same."""
        if not self.over:
            step = Step(self.state, clock.now())
            step.keep(compared=True)
            self._engine.apply(self, step)

    async def leave(self) -> None:
        """Say bye, and delete the conversation here and on the server. Not an error where it is over."""
        if self.over or self._leaving:
            return
        self._leaving = True
        await self.say_bye(LEAVE_SECONDS)
        with suppress(TimeoutError, trouble.Trouble):  # else it runs out by itself
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._engine.leave(self.session)
        self._engine.apply(self, sending.left(self.state, clock.now()))

    async def say_bye(self, seconds: float) -> None:
        """Say bye, and wait so long for it to be stored. Who says it then ends the conversation."""
        self._engine.apply(self, sending.said_bye(self.state, clock.now()))
        with suppress(TimeoutError, trouble.Trouble):
            async with asyncio.timeout(seconds):
                await self.wait(lambda: not self.state.outbox.waiting)

    async def wait(self, true: Callable[[], bool]) -> None:
        """Wait until something is true of this conversation; raises the Over that comes before."""
        while not true():
            if self.over or self._failure:
                raise self.over or self._failure or trouble.Trouble()
            await self._changed.wait()

    async def events(self) -> AsyncIterator[Event]:
        """All that happens, until the end."""
        async for event in self._events:
            yield event

    async def __aiter__(self) -> AsyncIterator[Message]:
        async for event in self._events:
            if isinstance(event, Received) and event.message.kind == "text":
                yield event.message

    def _look_at_the_clock(self) -> None:
        """After a sleep of the whole machine, nothing may be said in a conversation that is over."""
        now = clock.now()
        if self.state.deadline.is_over(now):
            self._engine.apply(self, taking.ticked(self.state, now))

    def proceed(self, step: Step) -> None:
        """For the client: the step was written down."""
        self.state = step.conversation
        for event in step.events:
            self._events.put(event)
        if self.over:
            self._events.end()
        self._changed.set()
        self._changed = asyncio.Event()

    def fail(self, error: Exception | None) -> None:
        """For the client: it has stopped, or forgets this conversation, which nobody has come to."""
        self._failure = error or trouble.Trouble("This client has stopped.")
        self._events.end(error)
        self._changed.set()
