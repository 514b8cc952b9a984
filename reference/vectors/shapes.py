"""The JSON shapes of docs/vectors/README.md. Bytes are lower-case hexadecimal."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from reference import b64u, content, identity
from reference.content import Sendable, Typing
from reference.identity import Identity
from reference.state import Chain, Pending, State, Turn

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"


def person(someone: Identity) -> dict[str, Json]:
    """An identity, its private key included."""
    return {"pkcs8": someone.pkcs8().hex(), **public_key(someone.modulus)}


def public_key(modulus: bytes) -> dict[str, Json]:
    """A modulus, its canonical JWK, and its thumbprint."""
    hash = identity.thumbprint(modulus)
    return {
        "modulus": modulus.hex(),
        "jwk": identity.canonical_jwk(modulus),
        "hash": hash.hex(),
        "hash_text": b64u.encode(hash),
    }


def state(one: State) -> dict[str, Json]:
    """A side's state."""
    return {
        "role": one.sender,
        "session_id": one.session_id.hex(),
        "peer_modulus": one.peer_modulus.hex(),
        "root": one.root.hex(),
        "turn": _turn(one.turn),
        "sending": _chain(one.sending),
        "receiving": _chain(one.receiving),
        "sent": one.sent,
        "taken": one.taken,
        "seen": one.seen,
    }


def pending(one: Pending) -> dict[str, Json]:
    """What the initiator keeps of its offer."""
    return {
        "ek_seed": one.dk.hex(),
        "s": one.s.hex(),
        "secret": optional(one.secret),
        "offer": one.offer.hex(),
    }


def members(one: Sendable | Typing) -> Json:
    """The map of a content, members in order."""
    return jsonable(content.to_map(one))


def jsonable(value: object) -> Json:
    """A value of a content's as JSON has it too: no bytes."""
    match value:
        case None | bool() | int() | str():
            return value
        case list():
            return [jsonable(item) for item in value]
        case dict():
            return {str(key): jsonable(item) for key, item in value.items()}
    raise TypeError(f"JSON has no {type(value).__name__}")


def optional(data: bytes | None) -> Json:
    """Hexadecimal, or null."""
    return None if data is None else data.hex()


def _turn(turn: Turn) -> Json:
    return {"whose": turn.whose, "epoch": turn.epoch, "ek" if turn.whose == "mine" else "dk": turn.key.hex()}


def _chain(chain: Chain | None) -> Json:
    return None if chain is None else {"epoch": chain.epoch, "key": chain.key.hex()}
