"""The one writer of a process: group commit.

What arrives while a commit runs becomes the next commit: no waiting when idle, large transactions when busy.
The writer has a thread of its own, and so a database connection of its own. It acknowledges and delivers by
itself after COMMIT; no receiving coroutine waits for it. Other short transactions (`run`) take turns with the
commits, one after each: a thousand offers hold no message up. One socket's frames still act in the order in
which they came, as it waits for what it runs, and its posts before that are committed first.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, Protocol, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError

from chat import errors, mailbox
from chat.connections import with_connection

log = structlog.get_logger("quarter.chat")

BATCH_POSTS = 512
QUEUE_MOST = 8192
T = TypeVar("T")


class Sender(Protocol):
    """Who is told how its posts went."""

    def stored(self, session: str, n: int) -> None:
        """All posts up to n are on disk."""

    def refused(self, post: mailbox.Post, error: errors.ChatError) -> None:
        """This one is not."""


Entry = tuple[mailbox.Post, Sender]
Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]
Delivered = list[tuple[mailbox.Post, mailbox.Stored]]


class Writer:
    """Commits in `executor` (one thread); hands what is stored to `deliver`."""

    def __init__(self, executor: Executor, deliver: Callable[[Delivered], None]) -> None:
        self._executor = executor
        self._deliver = deliver
        self._posts: deque[Entry] = deque()
        self._jobs: deque[Job] = deque()
        self._wake = asyncio.Event()
        self._is_failing = False

    def post(self, post: mailbox.Post, sender: Sender) -> None:
        """Queue a post; Full where too much waits already."""
        self._check_room()
        self._posts.append((post, sender))
        self._wake.set()

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run a short transaction in its turn. What it raises, and Full, comes out here."""
        self._check_room()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append((lambda: function(*args), done))
        self._wake.set()
        return await done

    async def serve(self) -> None:
        """Take from the queue for ever."""
        while True:
            while self._posts or self._jobs:
                await self._step()
            self._wake.clear()
            await self._wake.wait()

    def _check_room(self) -> None:
        if len(self._posts) + len(self._jobs) >= QUEUE_MOST:
            raise errors.Full(1.0)

    async def _step(self) -> None:
        """All posts that were there before the next job, and that job."""
        job = self._jobs.popleft() if self._jobs else None
        for _ in range(-(-len(self._posts) // BATCH_POSTS)):
            await self._commit(self._batch())
        if job is not None:
            await self._do(job)

    def _batch(self) -> list[Entry]:
        return [self._posts.popleft() for _ in range(min(len(self._posts), BATCH_POSTS))]

    async def _do(self, job: Job) -> None:
        function, done = job
        if done.cancelled():
            return
        try:
            result = await self._in_thread(function)
        except Exception as error:  # whatever it is, it belongs to whoever waits
            if not done.cancelled():
                done.set_exception(error)
        else:
            if not done.cancelled():
                done.set_result(result)

    async def _commit(self, batch: list[Entry]) -> None:
        posts = [post for post, _ in batch]
        try:
            results = await self._in_thread(mailbox.post_batch, posts)
        except (DatabaseError, InterfaceError) as error:
            self._note_failure(error)
            results = [errors.Unavailable() for _ in posts]
        except Exception:
            log.exception("our_bug", posts=len(posts))
            results = [errors.Unavailable() for _ in posts]
        else:
            self._note_success()
        self._settle(batch, results)

    def _note_failure(self, error: Exception) -> None:
        """One line for all that fails in a row: a disk that is full must not be filled by the log."""
        if not self._is_failing:
            log.error("commit_failed", error=type(error).__name__)
        self._is_failing = True

    def _note_success(self) -> None:
        if self._is_failing:
            log.warning("commits_back")
        self._is_failing = False

    async def _in_thread(self, function: Callable[..., T], *args: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, with_connection, function, *args)

    def _settle(self, batch: list[Entry], results: Sequence[mailbox.Result]) -> None:
        """After COMMIT: one acknowledgement for each socket and session, then the deliveries."""
        newest: dict[Sender, dict[str, int]] = {}
        stored: Delivered = []
        for (post, sender), result in zip(batch, results, strict=True):
            if isinstance(result, errors.ChatError):
                sender.refused(post, result)
                continue
            sessions = newest.setdefault(sender, {})
            if post.n >= sessions.get(post.session, 0):
                sessions[post.session] = post.n
            stored.append((post, result))
        for sender, sessions in newest.items():
            for session, n in sessions.items():
                sender.stored(session, n)
        self._deliver(stored)
