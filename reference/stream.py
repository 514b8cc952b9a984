"""What comes one after the other, for `async for`, until it ends."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Stream(Generic[T]):
    """Put in by one, taken out by one; after the end what is left is still given."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[T | None] = asyncio.Queue()
        self._error: Exception | None = None
        self._ended = False

    def put(self, item: T) -> None:
        """One more."""
        if not self._ended:
            self._waiting.put_nowait(item)

    def end(self, error: Exception | None = None) -> None:
        """No more; whoever waits is told, with the error if there is one."""
        if not self._ended:
            self._ended, self._error = True, error
            self._waiting.put_nowait(None)

    def __aiter__(self) -> "Stream[T]":
        return self

    async def __anext__(self) -> T:
        item = await self._waiting.get()
        if item is not None:
            return item
        self._waiting.put_nowait(None)
        raise self._error or StopAsyncIteration
