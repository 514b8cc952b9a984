"""Who receives, in this process and in others.

The registry knows this process's receive sockets, one for each user: the newest. What concerns a user whose
socket is here is handed over from memory; anybody else is sent a hint.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from chat import mailbox, wire
from chat.drain import Entry
from chat.hints import Event, Hints

TOLD_SECONDS = 1.0

Rank = tuple[int, str]


_last_rank_at = 0


def new_rank() -> Rank:
    """Which socket is newer, also between processes: milliseconds of the clock, then chance.

    Within a process it only rises, whatever is done to the clock.
    """
    global _last_rank_at
    _last_rank_at = max(_last_rank_at + 1, time.time_ns() // 1_000_000)
    return _last_rank_at, secrets.token_hex(8)


class Receiver(Protocol):
    """A receive socket, as delivery sees it. All methods return at once."""

    user: str
    rank: Rank

    def push(self, session: str, entries: Sequence[Entry]) -> None:
        """This was just stored, in the order of seq."""

    def hear(self, more: Mapping[str, int]) -> None:
        """All up to these seqs (by session) is stored."""

    def look(self, sessions: Iterable[str]) -> None:
        """Something changed in these sessions."""

    def look_again(self) -> None:
        """Anything may have changed."""

    def end(self, session: str, why: str) -> None:
        """The session ended."""

    def show(self, frame: bytes) -> None:
        """A volatile frame."""

    def supersede(self) -> None:
        """A newer socket of the same user is there."""

    def log_out(self) -> None:
        """The identity is gone."""

    def sessions(self) -> Iterable[str]:
        """The ids of the sessions that it knows."""

    async def flushed(self) -> bool:
        """Wait until all that was said is written; False if the socket closed."""


class Delivery:
    """The registry of a process, joined to those of the others by hints."""

    def __init__(self) -> None:
        self._receivers: dict[str, Receiver] = {}
        self.hints = Hints(self._hear, self.look_again)
        self._questions: dict[str, Counter[str]] = {}
        self._told: dict[str, asyncio.Event] = {}
        self._answers: set[asyncio.Task[None]] = set()

    # --- sockets come and go ------------------------------------------------------------------------

    async def register(self, receiver: Receiver) -> None:
        """Make this the user's socket, here and elsewhere; returns when its hints are heard.

        One that is older than the user's socket here (its hello was slow) is turned away instead.
        """
        other = self._receivers.get(receiver.user)
        if other is not None and other.rank > receiver.rank:
            receiver.supersede()
            return
        self._receivers[receiver.user] = receiver
        if other is not None:
            other.supersede()
        self._announce(receiver)
        await self.hints.listen_for(receiver.user)

    def unregister(self, receiver: Receiver) -> None:
        """The socket closed. Does nothing for one that was superseded here."""
        if self._receivers.get(receiver.user) is receiver:
            del self._receivers[receiver.user]
            self.hints.stop_listening(receiver.user)

    def _announce(self, receiver: Receiver) -> None:
        event = {"type": "supersede", "to": receiver.user, "rank": list(receiver.rank)}
        self.hints.say(receiver.user, event)

    # --- what happened here -------------------------------------------------------------------------

    def deliver(self, stored: Iterable[tuple[mailbox.Post, mailbox.Stored]]) -> None:
        """Messages that were just committed, in the order of their seq."""
        streams: dict[str, dict[str, list[Entry]]] = {}  # session → user → what is new there
        for post, result in stored:
            session, seq = post.session, result.seq
            if seq is None:  # sent again after some doubt: perhaps it was stored and not delivered
                self.look([result.to], session)
                continue
            stream = streams.get(session)
            if stream is None:
                stream = streams[session] = {result.to: [], post.sender: []}
            item = wire.Item(session, seq, "message", 1 if post.side else 0, post.body)
            stream[result.to].append((seq, item))
            stream[post.sender].append((seq, None))
        for session, stream in streams.items():
            for user, entries in stream.items():
                self._push(user, session, entries)

    def _push(self, user: str, session: str, entries: list[Entry]) -> None:
        receiver = self._receivers.get(user)
        if receiver is not None:
            receiver.push(session, entries)
        elif theirs := [seq for seq, item in entries if item is not None]:
            self.hints.more(user, session, theirs[-1])

    def look(self, people: Iterable[str], session: str) -> None:
        """A session came to be or changed."""
        for user in people:
            receiver = self._receivers.get(user)
            if receiver is None:
                self.hints.look(user, session)
            else:
                receiver.look([session])

    def end(self, people: Iterable[str], session: str, why: str) -> None:
        """A session ended."""
        for user in people:
            receiver = self._receivers.get(user)
            if receiver is None:
                self.hints.end(user, session, why)
            else:
                receiver.end(session, why)

    def show(self, user: str, session: str, body: bytes) -> None:
        """Pass a volatile frame on, or lose it."""
        receiver = self._receivers.get(user)
        if receiver is None:
            self.hints.say(user, {"type": "volatile", "to": user, "session": session, "body": body})
        else:
            receiver.show(wire.encode(wire.Volatile(session, body)))

    def log_out(self, user: str) -> None:
        """The identity was erased: close its receive socket, wherever it is."""
        receiver = self._receivers.get(user)
        if receiver is not None:
            receiver.log_out()
        self.hints.say(user, {"type": "log_out", "to": user})

    def look_again(self) -> None:
        """Hints may have been missed: let every receiver look."""
        for receiver in list(self._receivers.values()):
            receiver.look_again()

    # --- an erasure is told, and counted ------------------------------------------------------------

    async def tell_erased(self, endings: Mapping[str, Iterable[str]]) -> int:
        """Tell each peer (hash → sessions) that they were erased; how many of their pages were written to.

        Waits at most TOLD_SECONDS for other processes to say so.
        """
        here = [self._receivers[user] for user in endings if user in self._receivers]
        elsewhere = [user for user in endings if user not in self._receivers]
        for user, sessions in endings.items():
            for session in sessions:
                self.end([user], session, "erased")
        *flushed, others = await asyncio.gather(*map(_flushed_soon, here), self._ask(elsewhere))
        return sum(flushed) + others

    async def _ask(self, users: list[str]) -> int:
        """How many of these users have a page at another process that was written to."""
        if not users:
            return 0
        question = secrets.token_hex(8)
        self._questions[question] = Counter()
        self._told[question] = asyncio.Event()
        for user in users:
            self.hints.say(
                user, {"type": "ask", "to": user, "question": question, "reply": self.hints.channel}
            )
        try:
            async with asyncio.timeout(TOLD_SECONDS):
                while len(self._questions[question]) < len(users):
                    await self._told[question].wait()
                    self._told[question].clear()
        except TimeoutError:
            pass
        finally:
            del self._told[question]
            answers = self._questions.pop(question)
        return len(answers)

    # --- what is heard from other processes ---------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if event["type"] == "told":
            self._hear_answer(event)
            return
        receiver = self._receivers.get(event["to"])
        if receiver is not None:
            self._hear_for(receiver, event)

    def _hear_for(self, receiver: Receiver, event: Event) -> None:
        match event["type"]:
            case "hint":
                for session, why in event["ended"].items():
                    receiver.end(session, why)
                if event["more"]:
                    receiver.hear(event["more"])
                if event["look"]:
                    receiver.look(event["look"])
            case "volatile":
                receiver.show(wire.encode(wire.Volatile(event["session"], event["body"])))
            case "supersede":
                self._hear_of_newer(receiver, (event["rank"][0], event["rank"][1]))
            case "log_out":
                receiver.log_out()
            case "ask":
                task = asyncio.create_task(self._answer(receiver, event))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)

    def _hear_of_newer(self, receiver: Receiver, rank: Rank) -> None:
        if rank == receiver.rank:
            return
        if rank < receiver.rank:
            self._announce(receiver)  # the other has not heard of this one
            return
        self.unregister(receiver)
        receiver.supersede()
        # What was pushed into the older one since the newer one read the database must not wait.
        for session in receiver.sessions():
            self.hints.look(receiver.user, session)

    async def _answer(self, receiver: Receiver, event: Event) -> None:
        if await receiver.flushed() and event["reply"]:
            answer = {"type": "told", "question": event["question"], "user": receiver.user}
            await self.hints.reply(event["reply"], answer)

    def _hear_answer(self, event: Event) -> None:
        if event["question"] in self._questions:
            self._questions[event["question"]][event["user"]] += 1
            self._told[event["question"]].set()


async def _flushed_soon(receiver: Receiver) -> int:
    try:
        async with asyncio.timeout(TOLD_SECONDS):
            return int(await receiver.flushed())
    except TimeoutError:
        return 0
