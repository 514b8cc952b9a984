"""What both websockets have in common: opening, the first frame, reading, writing, closing.

1. The client's address must have a seat left (4429). The Origin was checked before (messenger/origins.py).
2. The first frame is `hello`, within LIMITS.hello_seconds (4401). Who it is becomes `user`.
3. Each further frame is parsed and handled in turn. A refusal is answered with an error frame; what is no
   frame of the wire is answered and closed (4400); too long (4413), too many (4429).
4. All writing is done by one task per socket, in the order of `tell`. Nobody who tells waits for a slow
   reader.

Channels' own dispatch is not used: it would make tasks and hop to a thread for each frame, and it would hold
a channel in Redis for each socket (and fail with Redis). Here the process holds one (chat/hints.py).
"""

import abc
import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from channels.consumer import AsyncConsumer
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from accounts.errors import NotLoggedIn as TokenRefused
from chat import errors, limits, node, shutdown, wire
from messenger import addresses

log = structlog.get_logger("quarter.chat")

OUR_BUG = 1011
BAD_FRAME = 4400
NOT_LOGGED_IN = 4401
TOO_SLOW = 4408
ELSEWHERE = 4409
TOO_BIG = 4413
TOO_FAST = 4429

FRAMES_WAITING = 4096
ITEMS_BYTES = 64 * 1024  # of bodies in one frame, and the one that crosses it
FRAMES_IN_A_ROW = 8  # so many of one socket, and then it is others' turn
LINGER_SECONDS = 1.0
SEAT_SECONDS = 5.0  # when to come back for a seat: nobody knows when another leaves

#: What closes a socket, and with which code.
REFUSED: dict[type[errors.ChatError], int] = {
    errors.TooBig: TOO_BIG,
    errors.BadFrame: BAD_FRAME,
    errors.NotLoggedIn: NOT_LOGGED_IN,
}
HELLO = (wire.SendHello, wire.ReceiveHello)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Socket(AsyncConsumer, abc.ABC):  # type: ignore[misc]
    """See above. A subclass says how to decode, greet and handle, and what to do when it departs."""

    def __init__(self) -> None:
        self.user = ""
        self._waiting: deque[bytes | wire.Item] = deque()
        self._unwritten = 0  # with those that were thrown away: these never come to be written
        self._is_over = False
        self._wake = asyncio.Event()
        self._written = asyncio.Event()
        self._closing: int | None = None
        self._is_deaf = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one websocket from its handshake to its end."""
        self.node = node.current()
        self._frame_bytes = settings.LIMITS.frame_bytes
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        with self.node.seats.seat(addresses.of_scope(scope)) as is_free:
            if not is_free:
                self._refuse_all(errors.TooFast(SEAT_SECONDS), TOO_FAST)
            await self._serve(receive, send)

    # --- for subclasses -----------------------------------------------------------------------------

    @abc.abstractmethod
    def decode(self, data: bytes) -> Any:
        """A frame of this socket; BadFrame."""

    @abc.abstractmethod
    async def greet(self, frame: Any) -> None:
        """Take the `hello`; NotLoggedIn."""

    @abc.abstractmethod
    async def handle(self, frame: Any) -> None:
        """Take any other frame. ChatError is told to the page."""

    def take_at_once(self, frame: Any) -> bool:
        """Take a frame for which nothing has to be waited; False: `greet` or `handle` it."""
        return False

    async def go_on(self) -> None:
        """Called by the writing task when all that waited is written."""

    async def depart(self) -> None:
        """The socket is closed."""

    def tell(self, frame: bytes | wire.Item) -> None:
        """Write a frame, soon; items that wait in a row become one."""
        waiting = self._waiting
        waiting.append(frame)
        self._unwritten += 1
        if len(waiting) == 1:  # else it is awake
            self._wake.set()
        elif len(waiting) > FRAMES_WAITING:
            waiting.clear()
            self.close(TOO_SLOW)

    def close(self, code: int) -> None:
        """Write what waits, then close. What still comes in is ignored."""
        if self._closing is None:
            self._closing = code
            self._wake.set()

    @property
    def is_closing(self) -> bool:
        return self._closing is not None

    async def flushed(self) -> bool:
        """Wait until all that was told is written; False if the socket closed before that."""
        while self._unwritten and not self._is_over:
            self._written.clear()
            await self._written.wait()
        return not self._unwritten

    # --- reading ------------------------------------------------------------------------------------

    async def _serve(self, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        self._hello = loop.call_later(settings.LIMITS.hello_seconds, self.close, NOT_LOGGED_IN)
        writing = loop.create_task(self._write(send))
        self.node.enter(self)
        try:
            await self._read(receive)
        except asyncio.CancelledError:
            await shutdown.close(send, shutdown.RESTART)  # Daphne goes down
            raise
        finally:
            self._closing = self._closing or shutdown.RESTART
            self._end_writing()
            self._hello.cancel()
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await self.depart()
            self.node.depart(self)

    async def _read(self, receive: Receive) -> None:
        frames = 0
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._is_deaf and not self.is_closing:
                await asyncio.sleep(LINGER_SECONDS)
            if self._closing is None:
                frame = self._parse(message.get("bytes") or b"")
                if frame is not None and not self.take_at_once(frame):
                    await self._take(frame)
            frames += 1
            if not frames % FRAMES_IN_A_ROW:
                await asyncio.sleep(0)

    def _parse(self, data: bytes) -> Any:
        """The frame, or None where it was refused."""
        try:
            if len(data) > self._frame_bytes:
                raise errors.TooBig
            frame = self.decode(data)
            if isinstance(frame, HELLO) == bool(self.user):
                raise errors.BadFrame if self.user else errors.NotLoggedIn
        except errors.ChatError as error:
            self._refuse_all(error, REFUSED[type(error)])
            return None
        return frame

    async def _take(self, frame: Any) -> None:
        self._hello.cancel()  # it came; how long the database takes with it is not the page's fault
        if await self._may_act(frame):
            await self._act(self.handle if self.user else self.greet, frame)

    async def _may_act(self, frame: Any) -> bool:
        """Count the frame; wait where it may be refused never, but came too soon; False where too many came.

        Posts have a bucket of their own, and count when they are refused at once.
        """
        if isinstance(frame, wire.Taken):
            await self.keep_pace(self.node.paced)
            return True
        return self._may_go_on()

    def _may_go_on(self) -> bool:
        """Count a frame that costs; False where there were too many.

        The bucket is the user's: a new socket doesn't come with a full one. A `hello` is nobody's yet, and a
        socket has but one.
        """
        seconds = self.node.frames.take(self.user) if self.user else None
        if seconds is not None:
            self._cut_off(seconds)
        return seconds is None

    async def keep_pace(self, buckets: limits.Buckets) -> None:
        """Wait where it were too many. Meanwhile this socket is not read, and its sender has to wait."""
        seconds = buckets.take(self.user)
        if seconds is not None:
            await asyncio.sleep(seconds)
            buckets.take(self.user)  # what it waited for

    async def _act(self, action: Callable[[Any], Awaitable[None]], frame: Any) -> None:
        try:
            await action(frame)
        except TokenRefused:
            self._refuse_all(errors.NotLoggedIn(), NOT_LOGGED_IN)
        except (DatabaseError, InterfaceError) as error:
            log.error("database_trouble", error=type(error).__name__)
            self.refuse(errors.Unavailable(), frame)
            if not self.user:
                self.close(shutdown.RESTART)  # come again; this is no word on the token
        except Exception as error:
            self.fail(error, frame)

    def fail(self, error: Exception, frame: Any) -> None:
        """Refuse a frame for what went wrong with it; called where that is handled."""
        if not isinstance(error, errors.ChatError):
            log.exception("our_bug", frame=type(frame).__name__)
            error = errors.Unavailable()
        self.refuse(error, frame)

    def refuse(self, error: errors.ChatError, frame: Any) -> None:
        """Tell the page that this frame was refused, by the names that it has."""
        if isinstance(frame, wire.Post) and not self._may_go_on():
            return
        names = (getattr(frame, name, None) for name in ("id", "session", "n"))
        self.tell(wire.error_frame(error, *names))

    def _refuse_all(self, error: errors.ChatError, code: int) -> None:
        self.tell(wire.error_frame(error))
        self.close(code)

    def _cut_off(self, seconds: float) -> None:
        """Say so, listen no more, and close in a while.

        Until then the seat is taken, so that coming back at once is no way to go on: opening a socket costs
        others more than a frame.
        """
        if not self._is_deaf:
            self._is_deaf = True
            self.tell(wire.error_frame(errors.TooFast(max(seconds, LINGER_SECONDS))))
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self.close, TOO_FAST)

    # --- writing ------------------------------------------------------------------------------------

    async def _write(self, send: Send) -> None:
        try:
            await self._write_all(send)
        except Exception as error:
            if shutdown.is_gone(error):
                self._end_writing()  # an erasure may be waiting for it
                raise  # the reading end will hear of it
            log.exception("our_bug", socket=type(self).__name__)
            self._closing = OUR_BUG
            self._end_writing()
            await shutdown.close(send, OUR_BUG)

    async def _write_all(self, send: Send) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                frame, parts = self._next()
                await send({"type": "websocket.send", "bytes": frame})
                del frame  # it need not stay until there is another
                self._unwritten -= parts
            if self._closing is not None:
                self._end_writing()
                await shutdown.close(send, self._closing)
                return
            self._written.set()
            await self.go_on()

    def _next(self) -> tuple[bytes, int]:
        """The frame that is to be written next, and of how many it consists."""
        first = self._waiting.popleft()
        if isinstance(first, bytes):
            return first, 1
        items, size = [first], len(first.body)
        while self._waiting and isinstance(item := self._waiting[0], wire.Item) and size < ITEMS_BYTES:
            items.append(item)
            size += len(item.body)
            self._waiting.popleft()
        return wire.encode(wire.Items(items) if len(items) > 1 else first), len(items)

    def _end_writing(self) -> None:
        """Nothing more will be written."""
        self._is_over = True
        self._written.set()
