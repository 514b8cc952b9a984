"""A peer who holds the keys and means ill: the reference client, with contents that no client would write.

It runs on a loop of its own, in a thread beside the browser's. What it seals is sealed well; only what is
within is not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Thread
from typing import Any, TypeVar
from unittest import mock

import msgspec

from reference import clock, padding, sending
from reference import content as contents
from reference.client import Client
from reference.content import Text
from reference.conversation import Step
from reference.talk import Talk

T = TypeVar("T")
WAIT_SECONDS = 60.0
SEEN = b"\xa4seen"


class Hostile:
    """Mallory, at `url`. She joins by a link, says anything, and hears the answers."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever)
        self._thread.start()
        self._client = Client(url)
        self._talk: Talk
        self._run(self._client.__aenter__)

    def joins(self, link: str) -> None:
        async def join() -> Talk:
            return await self._client.join(link)

        self._talk = self._run(join)

    def says(self, text: str) -> None:
        """An honest text. ValueError for one that the client itself refuses."""
        self._run(lambda: self._talk.say(text))

    def seals(self, frame: bytes) -> None:
        """Seals these bytes as the frame of her next message (PROTOCOL §7), and posts it."""
        self._seal(lambda seen: frame)

    def sends(self, content: bytes) -> None:
        """Seals a content, its `seen` of 0 made true: a false one would end the conversation."""
        self._seal(lambda seen: padding.frame(content.replace(SEEN + b"\0", SEEN + bytes([seen]))))

    def _seal(self, frame_of: Callable[[int], bytes]) -> None:
        async def seal() -> None:
            step = Step(self._talk.state, clock.now())
            with mock.patch.object(contents, "write", lambda content: frame_of(content.seen)):
                sending.seal(step, Text(0, text=""))
            self._talk._engine.apply(self._talk, step)

        self._run(seal)

    def hears(self, text: str) -> None:
        """Waits until the other side has said this."""

        async def hear() -> None:
            await self._talk.wait(lambda: any(message.text == text for message in self._talk.messages))

        self._run(hear)

    @property
    def is_over(self) -> bool:
        return self._talk.over is not None

    def close(self) -> None:
        self._run(lambda: self._client.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def in_time() -> T:
            async with asyncio.timeout(WAIT_SECONDS):
                return await work()

        return asyncio.run_coroutine_threadsafe(in_time(), self._loop).result()


def content(**members: Any) -> bytes:
    """A content of these members after `at` and `seen`, whatever they are, in MessagePack's shortest form."""
    return msgspec.msgpack.encode({"t": "text", "at": 1_800_000_000_000, "seen": 0, **members})
