"""Identity and conversations, as they are kept in the store."""

import asyncio

import msgspec

from reference import b64u, beginning, clock, trouble
from reference.content import Name
from reference.conversation import Conversation, Head, Record
from reference.identity import Identity
from reference.store import Put, Store


async def identity(store: Store) -> Identity:
    """The identity that is kept, or a new one."""
    key = store.read("identity", "key")
    if key is not None:
        return Identity.from_pkcs8(key)
    made = await asyncio.to_thread(Identity.generate)
    store.commit([Put("identity", "key", made.pkcs8())])
    return made


def conversation(store: Store, who: Identity, session: str, half: bytes) -> Conversation | None:
    """A conversation, if the server's half (32 bytes) is the one that it was sealed with, and it lives."""
    store.unlock(session, b64u.decode(session), half)
    try:
        data = store.read("head", session, session)
        records = store.read_all("record", session)
        waiting = store.read_all("outbox", session)
    except trouble.Unusable:
        return None
    if data is None:
        return None
    now = clock.now()
    restored = beginning.restored(
        identity=who,
        head=msgspec.msgpack.decode(data, type=Head),
        records={_name(key): msgspec.msgpack.decode(each, type=Record) for key, each in records.items()},
        waiting={int(key.rpartition("/")[2]): body for key, body in waiting.items()},
        now=now,
    )
    return None if restored.deadline.is_over(now) else restored


def _name(key: str) -> Name:
    """The message that the record under "session/sender.n" is of."""
    sender, _, n = key.rpartition("/")[2].partition(".")
    return Name(int(sender), int(n))
