"""The two websockets of a page: one to send on, one to receive on (the grammar is in chat/wire.py).

A handler is: one call into the domain, one reply. Posts are not waited for: the writer answers them.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from accounts import identities, tokens
from chat import delivery, envelope, erasure, errors, mailbox, sessions, wire
from chat.drain import Drain, Entry
from chat.sockets import ELSEWHERE, NOT_LOGGED_IN, TOO_SLOW, Socket

log = structlog.get_logger("quarter.chat")

SCRUB_SECONDS = 1.0
FAREWELL_SECONDS = 3.0
RETRY_SECONDS = 1.0
SEEN_SECONDS = 3600.0


class SendConsumer(Socket):
    """/ws/send/: what a page asks for and says."""

    def __init__(self) -> None:
        super().__init__()
        self._routes: dict[str, sessions.Route] = {}

    def decode(self, data: bytes) -> wire.SendRequest:
        return wire.decode_send(data)

    async def greet(self, frame: wire.SendHello) -> None:
        self.user = await self.node.read(tokens.resolve, frame.token)
        limits = settings.LIMITS
        ready = wire.Limits(
            text_bytes=limits.text_bytes,
            frame_bytes=limits.frame_bytes,
            ttl_seconds=settings.TTL_SECONDS,
            ttl_min_seconds=settings.TTL_MIN_SECONDS,
            ttl_max_seconds=settings.TTL_MAX_SECONDS,
            sessions=limits.sessions,
            requests=limits.requests,
        )
        self.tell(wire.encode(wire.SendReady(ready)))

    def take_at_once(self, frame: wire.SendRequest) -> bool:
        if not isinstance(frame, wire.Post):
            return False
        try:
            self._post(frame)
        except Exception as error:
            self.fail(error, frame)
        return True

    async def handle(self, frame: wire.SendRequest) -> None:
        match frame:
            case wire.Volatile():
                await self._volatile(frame)
            case wire.Lookup():
                self._reply(wire.Key(frame.id, await self.node.read(sessions.key_of, frame.hash)))
            case wire.Prepare():
                half = await self.node.writer.run(sessions.prepare, self.user, frame.session)
                self._reply(wire.Seal(frame.id, frame.session, half))
            case wire.Offer():
                await self._change(frame.id, sessions.offer, frame.body)
            case wire.Answer():
                await self._change(frame.id, sessions.answer, frame.session, frame.body)
            case wire.Decline():
                await self._change(frame.id, sessions.decline, frame.session, frame.why)
            case wire.Keep():
                await self._change(frame.id, sessions.keep, frame.session, frame.ttl)
            case wire.Leave():
                await self._change(frame.id, sessions.leave, frame.session)
            case wire.Erase():
                await self._erase(frame.id)

    def stored(self, session: str, n: int) -> None:
        """The writer has all posts of this session up to n on disk."""
        self._reply(wire.Stored(session, n))

    def refused(self, post: mailbox.Post, error: errors.ChatError) -> None:
        """The writer could not take this post."""
        self.tell(wire.error_frame(error, session=post.session, n=post.n))

    def _reply(self, frame: wire.SendReply) -> None:
        self.tell(wire.encode(frame))

    def _post(self, frame: wire.Post) -> None:
        header = envelope.parse_message(frame.body)
        if header.session != frame.session or header.n != frame.n:
            raise errors.BadEnvelope
        seconds = self.node.posts.take(self.user)
        if seconds is not None:
            raise errors.TooFast(seconds)
        post = mailbox.Post(frame.session, self.user, header.sender, frame.n, frame.body)
        self.node.writer.post(post, self)

    async def _volatile(self, frame: wire.Volatile) -> None:
        header = envelope.parse_volatile(frame.body)
        seconds = self.node.volatiles.take(self.user)
        if seconds is not None:
            raise errors.TooFast(seconds)
        route = await self._route(frame.session)
        if (header.session, header.sender) != (frame.session, route.side):
            raise errors.BadEnvelope
        self.node.delivery.show(route.peer, frame.session, frame.body)

    async def _route(self, session: str) -> sessions.Route:
        """Who the peer is; remembered for a short while, as typing comes in rows."""
        now = asyncio.get_running_loop().time()
        known = self._routes.get(session)
        if known is None or known.until < now:
            known = await self.node.read(sessions.route, self.user, session, now)
            if len(self._routes) > settings.LIMITS.sessions:
                self._routes.clear()
            self._routes[session] = known
        return known

    async def _change(self, id: int, verb: Callable[..., sessions.Change], *args: Any) -> None:
        change = await self.node.writer.run(verb, self.user, *args)
        self._reply(wire.Ok(id))
        if change.why is not None:
            self._routes.pop(change.session, None)
            self.node.delivery.end(change.people, change.session, change.why)
        elif change.changed:
            self.node.delivery.look(change.people, change.session)

    async def _erase(self, id: int) -> None:
        """Delete, tell, free the bytes; the answer waits a second at most for each of the last two."""
        gone = await self.node.aside(erasure.erase, self.user)
        self._routes.clear()
        scrub = asyncio.ensure_future(self.node.free_bytes())
        told = await self.node.delivery.tell_erased(gone.peers)
        await asyncio.wait([scrub], timeout=SCRUB_SECONDS)
        self._reply(wire.Erased(id, gone.sessions, gone.messages, gone.files, len(gone.peers), told))
        await self.flushed()
        self.node.delivery.log_out(self.user)


class ReceiveConsumer(Socket):
    """/ws/receive/: what a page is sent. What it was sent and what comes next is the business of Drain."""

    def __init__(self) -> None:
        super().__init__()
        self.rank = delivery.new_rank()
        self._drain = Drain("", self.tell)
        self._stalled: asyncio.TimerHandle | None = None
        self._seen_at = float("-inf")

    def decode(self, data: bytes) -> wire.ReceiveRequest:
        return wire.decode_receive(data)

    async def greet(self, frame: wire.ReceiveHello) -> None:
        user = await self.node.read(tokens.resolve, frame.token)
        self._drain = Drain(user, self.tell)
        self.user = user
        await self.node.delivery.register(self)
        self._drain.open(frame.cursors)
        self._wake.set()

    def take_at_once(self, frame: wire.ReceiveRequest) -> bool:
        if not isinstance(frame, wire.Taken) or self.node.paced.take(self.user) is not None:
            return False
        self._taken(frame)
        return True

    def _taken(self, frame: wire.Taken) -> None:
        if self._drain.take(frame.session, frame.seq):
            self._be_patient()
            self._wake.set()

    async def handle(self, frame: wire.ReceiveRequest) -> None:
        match frame:
            case wire.Taken():
                self._taken(frame)
            case wire.Resync():
                if frame.cursors:
                    await self.keep_pace(self.node.again)
                self._drain.resync(frame.cursors)
                self._wake.set()
                await self._be_seen()

    async def go_on(self) -> None:
        """Send what the page does not have yet, as far as it takes it."""
        try:
            await self._drain.run(partial(self.node.read, mailbox.look), self.node.reader.after)
        except mailbox.IdentityGone:
            # A page that is erasing hears `erased` on its other socket first: to lose one is to lose both.
            asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self.close, NOT_LOGGED_IN)
        except (DatabaseError, InterfaceError) as error:
            log.error("database_trouble", error=type(error).__name__)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._wake.set)
        self._watch()

    async def _be_seen(self) -> None:
        """Note once an hour that the user is here: a page that stays open is not idle."""
        now = asyncio.get_running_loop().time()
        if now - self._seen_at >= SEEN_SECONDS:
            self._seen_at = now
            await self.node.writer.run(identities.touch, self.user, timezone.now())

    async def depart(self) -> None:
        self._be_patient()
        if self.user:
            self.node.delivery.unregister(self)
        del self._drain  # else each would keep the other until the garbage collector comes by

    # --- what delivery says (delivery.Receiver) -----------------------------------------------------

    def push(self, session: str, entries: Sequence[Entry]) -> None:
        if not self._drain.push(session, entries):
            self._wake.set()

    def hear(self, more: Mapping[str, int]) -> None:
        for session, seq in more.items():
            self._drain.hear(session, seq)
        self._wake.set()

    def look(self, sessions: Iterable[str]) -> None:
        self._drain.look(sessions)
        self._wake.set()

    def look_again(self) -> None:
        self._drain.look_again()
        self._wake.set()

    def end(self, session: str, why: str) -> None:
        self._drain.end(session, why)

    def show(self, frame: bytes) -> None:
        self.tell(frame)

    def sessions(self) -> Iterable[str]:
        return self._drain.sessions()

    def supersede(self) -> None:
        self.close(ELSEWHERE)

    def log_out(self) -> None:
        self.close(NOT_LOGGED_IN)

    # --- a page that takes nothing ------------------------------------------------------------------

    def _watch(self) -> None:
        if not self._drain.is_blocked:
            self._be_patient()
        elif self._stalled is None:
            seconds = settings.LIMITS.stalled_seconds
            self._stalled = asyncio.get_running_loop().call_later(seconds, self.close, TOO_SLOW)

    def _be_patient(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
