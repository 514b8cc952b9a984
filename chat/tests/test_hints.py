"""Processes that tell each other where to look, through the real layer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chat import hints
from chat.hints import Event, Hints
from chat.tests.pages import DEADLINE_SECONDS

USERS = [f"{number:043d}" for number in range(50)]
S = "s" * 43


class Process:
    """What one process hears for whom, and what it sends."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, list[str]]] = []
        self.sent: list[Event] = []
        self.came = asyncio.Event()
        self.hints = Hints(self._hear, lambda: None)
        self._count("_send")
        self._count("_publish")

    def _hear(self, event: Event) -> None:
        self.heard.append((event["to"], event["look"]))
        self.came.set()

    def _count(self, name: str) -> None:
        real: Any = getattr(self.hints, name)

        async def counted(where: str, event: Event) -> None:
            if event["type"] in {"hint", "hints"}:
                self.sent.append(event)
            await real(where, event)

        setattr(self.hints, name, counted)

    async def hears(self, number: int) -> None:
        """Wait until it has heard so many hints."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(self.heard) < number:
                self.came.clear()
                await self.came.wait()


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Process]:
    process = Process()
    tasks = [asyncio.create_task(part()) for part in (process.hints.listen, process.hints.speak)]
    try:
        yield process
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def arrive(process: Process, users: list[str]) -> None:
    await asyncio.gather(*(process.hints.listen_for(user) for user in users))


async def know(process: Process, other: Process, users: list[str]) -> None:
    """Say a first hint for each, and wait until it is known where they are."""
    already = len(other.heard)
    for user in users:
        process.hints.look(user, S)
    await other.hears(already + len(users))
    async with asyncio.timeout(DEADLINE_SECONDS):
        while None in map(process.hints.place_of, users):  # noqa: ASYNC110 # the answer sets no event
            await asyncio.sleep(0.01)
    process.sent.clear()
    other.heard.clear()


async def test_the_hints_of_one_commit_go_to_a_process_in_one_message() -> None:
    async with running() as sender, running() as first, running() as second:
        await arrive(first, USERS[:25])
        await arrive(second, USERS[25:])
        await know(sender, first, USERS[:25])
        await know(sender, second, USERS[25:])
        for user in USERS:
            sender.hints.look(user, S)
        await first.hears(25)
        await second.hears(25)
        assert [len(event["hints"]) for event in sender.sent] == [25, 25]
        assert sorted(first.heard + second.heard) == [(user, [S]) for user in USERS]


async def test_a_hint_follows_a_user_to_another_process() -> None:
    async with running() as sender, running() as first, running() as second:
        await arrive(first, USERS[:1])
        await know(sender, first, USERS[:1])
        first.hints.stop_listening(USERS[0])
        await arrive(second, USERS[:1])
        sender.hints.look(USERS[0], S)
        await second.hears(1)


async def test_a_hint_that_came_to_the_wrong_process_is_sent_back_and_finds_the_right_one() -> None:
    async with running() as sender, running() as first, running() as second:
        await arrive(first, USERS[:1])
        await arrive(second, USERS[1:2])
        await know(sender, first, USERS[:1])
        await know(sender, second, USERS[1:2])
        first.hints.stop_listening(USERS[0])
        await arrive(second, USERS[:1])
        sender.hints._place(USERS[:1], str(first.hints.channel))  # it heard of the first one's last word
        sender.hints.end(USERS[0], S, "left")
        await second.hears(1)


async def test_who_was_at_a_process_that_died_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as sender, running() as other:
        async with running() as dying:
            await arrive(dying, USERS[:1])
            await know(sender, dying, USERS[:1])
            dead = str(dying.hints.channel)
        await arrive(other, USERS[:1])
        monkeypatch.setattr(hints, "PLACE_SECONDS", 0.2)
        sender.hints._place(USERS[:1], dead)  # `arrived` was lost
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not other.heard:
                sender.hints.look(USERS[0], S)
                await asyncio.sleep(0.05)


async def test_a_process_that_always_has_hints_to_say_hears_for_who_comes_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as busy, running() as other:
        publish = busy.hints._publish

        async def published(group: str, event: Event) -> None:
            await publish(group, event)
            if event["type"] == "hint":
                busy.hints.look(USERS[0], S)  # meanwhile the next commit

        monkeypatch.setattr(busy.hints, "_publish", published)
        busy.hints.look(USERS[0], S)
        await arrive(busy, USERS[1:2])
        other.hints.look(USERS[1], S)
        await busy.hears(1)


async def test_a_process_hears_nothing_more_for_who_left_it() -> None:
    async with running() as sender, running() as first, running() as second:
        await arrive(first, USERS[:1])
        first.hints.stop_listening(USERS[0])
        await arrive(first, USERS[1:2])
        await arrive(second, USERS[:1])
        sender.hints.look(USERS[0], S)
        await second.hears(1)
        sender.hints.look(USERS[1], S)
        await first.hears(1)
        assert first.heard == [(USERS[1], [S])]


async def test_who_comes_back_at_once_is_heard_for() -> None:
    async with running() as sender, running() as process:
        await arrive(process, USERS[:1])
        process.hints.stop_listening(USERS[0])
        await arrive(process, USERS[:1])
        process.hints.stop_listening(USERS[0])
        await arrive(process, USERS[1:2])
        await arrive(process, USERS[:1])
        sender.hints.look(USERS[0], S)
        await process.hears(1)
