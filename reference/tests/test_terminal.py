"""What somebody at a terminal sees, with a screen that is a list."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reference import terminal, trouble, wire
from reference.client import Client
from reference.conversation import Ended, Held, Received
from reference.screen import Screen
from reference.stream import Stream
from reference.terminal import Terminal
from reference.tests.conftest import MakeClient
from reference.tests.meddler import Meddler
from reference.tests.meeting import heard
from reference.transcript import Message


class Paper(Screen):
    """What was shown is a list, what is typed comes from a test."""

    def __init__(self, is_terminal: bool = True) -> None:
        self.is_terminal = is_terminal
        self.shown: list[str] = []
        self.typed: Stream[str] = Stream()
        self._more = asyncio.Event()

    def show(self, text: str) -> None:
        self.shown.append(text)
        self._more.set()

    async def lines(self) -> AsyncIterator[str]:
        async for line in self.typed:
            yield line

    async def sees(self, text: str) -> None:
        """Wait until it was shown."""
        while not any(text in line for line in self.shown):
            self._more.clear()
            await self._more.wait()


@asynccontextmanager
async def at(client: Client, is_terminal: bool = True) -> AsyncIterator[Paper]:
    """Somebody sits at a terminal with this client."""
    paper = Paper(is_terminal)
    chat = Terminal(client, paper, waits_for_guests=True)
    running = asyncio.create_task(chat.run())
    yield paper
    chat.stop()
    await running


async def test_of_several_conversations_one_is_talked_in(make_client: MakeClient) -> None:
    alice, bob, carol = await make_client(), await make_client(), await make_client()
    async with at(alice) as paper:
        with_bob = await bob.join(await alice.link("Bob"))
        await paper.sees("Bob is here")
        with_carol = await carol.join(await alice.link("Carol"))
        await paper.sees("Carol is here")
        paper.typed.put("to carol")
        await heard(with_carol, "to carol")
        paper.typed.put("/to Bob")
        await paper.sees("You talk to: Bob, Carol")
        paper.typed.put("to bob")
        await heard(with_bob, "to bob")
        paper.typed.put("/leave")
        await paper.sees("The conversation has ended")
        assert with_carol.is_open


async def test_a_lost_connection_and_its_return_are_said(make_client: MakeClient) -> None:
    cutter = Meddler()
    alice, bob = await make_client(meddle=cutter), await make_client()
    async with at(alice) as paper:
        talk = await bob.join(await alice.link("Bob"))
        await paper.sees("Bob is here")
        await cutter.cut()
        await paper.sees("No connection")
        paper.typed.put("kept")
        await heard(talk, "kept")
        await paper.sees("Connected again")


async def test_what_is_no_command_or_too_long_or_for_nobody_is_said(make_client: MakeClient) -> None:
    alice, bob = await make_client(), await make_client()
    async with at(alice) as paper:
        for line, answer in (
            ("hello?", "Nobody is here yet"),
            ("/nonsense", "/nonsense is no command"),
            ("/keep for ever", "How many seconds?"),
            ("/to", "You talk to: nobody"),
            ("/help", "/safety"),
        ):
            paper.typed.put(line)
            await paper.sees(answer)
        talk = await bob.join(await alice.link("Bob"))
        await paper.sees("Bob is here")
        paper.typed.put("x" * 17000)
        await paper.sees("too long. It was not sent")
        paper.typed.put("/keep")
        await paper.sees("You let this live 15 minutes")
        await talk.say("one\ntwo \x1b[31m")
        await paper.sees("one\n      two \ufffd[31m")


async def test_in_a_pipe_a_line_waits_for_somebody_and_a_request_does_not_wait_for_the_line(
    make_client: MakeClient,
) -> None:
    alice, bob = await make_client(), await make_client()
    async with at(alice, is_terminal=False) as paper:
        paper.typed.put("who are you?")
        asking = asyncio.create_task(bob.join(alice.code))
        await paper.sees("asks to talk")
        paper.typed.put("/accept")
        await heard(await asking, "who are you?")


async def test_a_request_that_is_gone_is_taken_off(make_client: MakeClient) -> None:
    alice, bob = await make_client(), await make_client()
    async with at(alice) as paper:
        talk = await bob.offer(alice.code)
        await paper.sees("asks to talk")
        await talk.leave()
        await paper.sees("A request is gone")
        paper.typed.put("/accept")
        paper.typed.put("/help")
        await paper.sees("/safety")
        assert alice.talks() == []


async def test_at_an_end_that_nobody_wished_what_was_not_delivered_is_listed(make_client: MakeClient) -> None:
    meddler = Meddler()
    alice, bob = await make_client(meddle=meddler), await make_client()
    async with at(alice) as paper:
        await bob.join(await alice.link("Bob"))
        await paper.sees("Bob is here")
        [talk] = alice.talks()
        meddler.into = lambda frame: [] if isinstance(frame, wire.Item) else [frame]
        paper.typed.put("did you get this?")
        await paper.sees("✓ sent")
        [theirs] = bob.talks()
        await theirs.leave()  # the bye does not come through
        await paper.sees("Not delivered, as far as Bob has said:")
        assert "did you get this?" in paper.shown[-1]
        assert isinstance(talk.over, trouble.Left)
        assert "says the server" in str(talk.over)


@pytest.mark.parametrize(
    ("seconds", "words"), [(60, "1 minute"), (900, "15 minutes"), (7200, "2 hours"), (61, "61 seconds")]
)
def test_a_time_to_live_is_said_in_words(seconds: int, words: str) -> None:
    assert terminal.span(seconds) == words


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (Message(0, 1, False, "unknown", "re\x1bact", 0.0, 1), "[re\ufffdact: this needs a newer version]"),
        (Message(0, 1, False, "unreadable", "", 2.0**60, 1), "--:-- Bob: [unreadable]"),
    ],
)
async def test_what_cannot_be_shown_is_said_so(make_client: MakeClient, message: Message, shown: str) -> None:
    alice, bob = await make_client(), await make_client()
    async with at(alice) as paper:
        await bob.join(await alice.link("Bob"))
        await paper.sees("Bob is here")
        [talk] = alice.talks()
        talk._events.put(Received(message))
        await paper.sees(shown)


async def test_what_the_server_asks_to_wait_for_and_the_end_are_said(make_client: MakeClient) -> None:
    alice, bob = await make_client(), await make_client()
    async with at(alice) as paper:
        await bob.join(await alice.link("Bob"))
        await paper.sees("Bob is here")
        [talk] = alice.talks()
        for event, said in (
            (Held("full"), "no more room"),
            (Held("unavailable"), "asks to wait a little"),
            (
                Ended(trouble.Broken("a message is missing."), ()),
                "can't be trusted any more: a message is missing.",
            ),
        ):
            talk._events.put(event)
            await paper.sees(said)
