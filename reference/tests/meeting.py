"""How two clients of a test meet and hear each other."""

from collections.abc import AsyncIterator
from typing import NamedTuple, TypeVar

from reference.client import Client
from reference.talk import Talk

E = TypeVar("E")


class Pair(NamedTuple):
    """The two sides of one conversation."""

    alice: Talk
    bob: Talk


async def meet(alice: Client, bob: Client) -> Pair:
    """Bob joins by Alice's link; the conversation as each of them has it."""
    link = await alice.link("Bob")
    talk = await bob.join(link)
    return Pair(await opened(alice), talk)


async def opened(client: Client) -> Talk:
    """The next conversation that opens, or is brought back."""
    async for talk in client.conversations():
        return talk
    raise AssertionError("none has opened")


async def heard(talk: Talk, *texts: str) -> None:
    """These are the peer's next texts, in this order."""
    for text in texts:
        async for message in talk:
            assert message.text == text
            break
        else:
            raise AssertionError(f"it ended before {text!r}: {talk.over}")


async def delivered(talk: Talk) -> None:
    """All that this side has said was taken by the other."""
    await talk.wait(lambda: {talk.status(each) for each in talk.messages if each.mine} <= {"delivered"})


async def ended(talk: Talk) -> None:
    """It is over."""
    await talk.wait(lambda: talk.over is not None)


async def first(talk: Talk, kind: type[E], count: int) -> AsyncIterator[E]:
    """The next so many events of a kind."""
    async for event in talk.events():
        if isinstance(event, kind):
            yield event
            count -= 1
        if not count:
            return


def texts(talk: Talk) -> list[str]:
    """The transcript."""
    return [message.text for message in talk.messages]
