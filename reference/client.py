"""A client: an identity, its connection to a server, its conversations. Also the way to write bots.

    async with Client("http://localhost:8000") as client:
        print(await client.link())
        async for conversation in client.conversations():
            async for message in conversation:
                await conversation.say(message.text)

`reference/examples/echo.py` is this and no more.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

from reference import b64u, beginning, clock, handshake, link, login, trouble, wire
from reference.conversation import Step
from reference.engine import Engine
from reference.errors import ProtocolError
from reference.notices import Request, Told
from reference.store import Store
from reference.talk import Talk

BYE_SECONDS = 1.0
SERVER = "http://localhost:8000"


class Client:
    """See the module. `state` is a directory in which identity and conversations are kept, sealed.

    Without it everything is in memory, and the end of the `async with` ends all conversations; with it they
    go on. Entering raises trouble.Unreachable where there is no server; later it reconnects by itself.
    """

    def __init__(self, server: str = SERVER, state: Path | str | None = None) -> None:
        self.origin = login.origin_of(server)
        self._directory = Path(state) if state is not None else None
        self._engine: Engine

    @property
    def code(self) -> str:
        """This identity's hash, 43 characters: whoever has it may ask to talk."""
        return b64u.encode(self._engine.identity.hash)

    async def link(self, name: str = "") -> str:
        """A new link, for one person and one day; `name` is what this side calls them."""
        return self._engine.door.make_link(name)

    def open_links(self) -> list[str]:
        """The links that nobody has used yet."""
        return self._engine.door.open_links()

    def withdraw(self, text: str) -> None:
        """Take a link back: nobody comes in by it any more."""
        self._engine.door.withdraw(text)

    def talks(self) -> list[Talk]:
        """The conversations that live, those that are not open yet included."""
        return list(self._engine.talks.values())

    async def join(self, address: str) -> Talk:
        """Join by a link, or ask by a code, and wait until the conversation is open; trouble.Over."""
        talk = await self.offer(address)
        await talk.wait(lambda: talk.is_open)
        return talk

    async def offer(self, address: str) -> Talk:
        """As `join`, without waiting for the other side."""
        engine, owner = self._engine, _parse(address)
        if owner.hash == engine.identity.hash:
            raise trouble.BadLink("This is your own. Send it to the other one.")
        hash = b64u.encode(owner.hash)
        key = await engine.request(lambda id: wire.Lookup(id, hash), wire.Key)
        try:
            _, pending = handshake.make_offer(engine.identity, owner.hash, key.modulus, owner.secret)
        except ProtocolError:
            raise trouble.Broken("the server gave a key that does not belong to this code.") from None
        session = b64u.encode(pending.session_id)
        seal = await engine.request(lambda id: wire.Prepare(id, session), wire.Seal)
        engine.store.unlock(session, pending.session_id, seal.half)
        return engine.add(beginning.offered(engine.identity, pending, engine.limits.ttl_seconds, clock.now()))

    async def conversations(self) -> AsyncIterator[Talk]:
        """Conversations as they open, and those that a restart has brought back."""
        async for notice in self._engine.notices:
            if isinstance(notice, Talk):
                yield notice

    async def requests(self) -> AsyncIterator[Request]:
        """Those who ask to talk. All else that `notices` gives is passed over."""
        async for notice in self._engine.notices:
            if isinstance(notice, Request):
                yield notice

    async def notices(self) -> AsyncIterator[Told | Talk]:
        """Conversations, requests, and what happens to connection and links, in their order."""
        async for notice in self._engine.notices:
            yield notice

    async def erase(self) -> wire.Erased:
        """Erase everything, on the server and then here; the server's counts. The client has stopped then.

        Says bye first, so that the others have the end from this side and not from the server alone.
        """
        engine = self._engine
        await asyncio.gather(*(talk.say_bye(BYE_SECONDS) for talk in self.talks()))
        counts = await engine.request(wire.Erase, wire.Erased)
        for talk in self.talks():
            step = Step(talk.state, clock.now())
            step.end(trouble.Erased(), is_own_wish=True)
            engine.apply(talk, step)
        engine.store.erase()
        await engine.stop()
        return counts

    async def __aenter__(self) -> Self:
        store = Store(self._directory)
        self._engine = Engine(self.origin, store)
        try:
            await self._engine.start()
        except BaseException:
            await self._engine.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._directory is None and self._engine.failure is None:
            await asyncio.gather(*(talk.leave() for talk in self.talks()))
        await self._engine.stop()


def _parse(address: str) -> link.Address:
    try:
        return link.parse_address(address)
    except ProtocolError:
        raise trouble.BadLink from None
