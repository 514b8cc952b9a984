"""The items that drains ask for, read for many of them at once: what the writer does for commits.

A hint of another process's commit concerns many receivers, and each asks for an item or two. Requests that
come while one query runs make the next one.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from chat import mailbox

ROWS_MOST = 32  # of one query, a MiB at most; a request for more than that is read alone

Run = Callable[..., Awaitable[dict[str, list[mailbox.Row]]]]
Request = tuple[mailbox.Wanted, "asyncio.Future[list[mailbox.Row]]"]


class Reader:
    """`run` runs a function in a thread with a database connection."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._requests: deque[Request] = deque()
        self._wake = asyncio.Event()

    async def after(self, session: str, cursor: int, limit: int) -> list[mailbox.Row]:
        """As mailbox.read_after."""
        done: asyncio.Future[list[mailbox.Row]] = asyncio.get_running_loop().create_future()
        self._requests.append((mailbox.Wanted(session, cursor, limit), done))
        self._wake.set()
        return await done

    async def serve(self) -> None:
        """Read for ever."""
        while True:
            while self._requests:
                await self._read(self._batch())
            self._wake.clear()
            await self._wake.wait()

    def _batch(self) -> list[Request]:
        """Requests for at most ROWS_MOST rows, no two of the same session; the first in any case."""
        batch = [self._requests.popleft()]
        rows, sessions = batch[0][0].limit, {batch[0][0].session}
        while self._requests:
            wanted = self._requests[0][0]
            rows += wanted.limit
            if rows > ROWS_MOST or wanted.session in sessions:
                break
            sessions.add(wanted.session)
            batch.append(self._requests.popleft())
        return batch

    async def _read(self, batch: Sequence[Request]) -> None:
        try:
            found = await self._run(mailbox.read_after, [wanted for wanted, _ in batch])
        except BaseException as error:
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for wanted, done in batch:
            if not done.done():
                done.set_result(found.get(wanted.session, []))
