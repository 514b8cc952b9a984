"""What a side keeps between two messages (PROTOCOL §6), and its form in a store.

States are values: a function takes one and answers the next. Which bytes were sent and taken, and whether the
conversation broke, is the client's to keep beside them.
"""

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from reference import kem, primitives
from reference.link import SECRET_BYTES
from reference.primitives import KEY_BYTES, MODULUS_BYTES

OFFER_BYTES: Final = 2082
SESSION_LABEL: Final = b"quarter/1 session"
MAX_UINT32: Final = 2**32 - 1

Role = Literal["initiator", "responder"]

_Bytes16 = Annotated[bytes, msgspec.Meta(min_length=SECRET_BYTES, max_length=SECRET_BYTES)]
_Bytes32 = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
_Modulus = Annotated[bytes, msgspec.Meta(min_length=MODULUS_BYTES, max_length=MODULUS_BYTES)]
_Offer = Annotated[bytes, msgspec.Meta(min_length=OFFER_BYTES, max_length=OFFER_BYTES)]
_Uint32 = Annotated[int, msgspec.Meta(ge=0, le=MAX_UINT32)]


@dataclass(frozen=True, slots=True)
class Chain:
    """A sending or receiving chain: its epoch, and the key (32 bytes) of its next message."""

    epoch: _Uint32
    key: _Bytes32 = field(repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose step is next. `epoch` is that of the encapsulation key which the step will use.

    mine: `key` is the peer's newest ek (1216 bytes), unused. theirs: `key` is dk (32 bytes) of the ek last
    sent.
    """

    whose: Literal["mine", "theirs"]
    epoch: _Uint32
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError for a key of another length."""
        if len(self.key) != (kem.EK_BYTES if self.whose == "mine" else kem.DK_BYTES):
            raise ValueError("a key of another length")


@dataclass(frozen=True, slots=True)
class State:
    """One side of a conversation.

    `sent` and `taken` count this side's and the peer's messages, which is also the n of the next one; `seen`
    is how many of this side's messages the peer has said to have taken.
    """

    role: Role
    session_id: _Bytes32
    peer_modulus: _Modulus = field(repr=False)
    root: _Bytes32 = field(repr=False)
    turn: Turn
    sending: Chain | None = None
    receiving: Chain | None = None
    sent: _Uint32 = 0
    taken: _Uint32 = 0
    seen: _Uint32 = 0

    @property
    def sender(self) -> int:
        """This side's sender byte: 0 for the initiator, 1 for the responder."""
        return int(self.role == "responder")

    def encode(self) -> bytes:
        """The state for a store. It is all secrets: whoever stores it seals it."""
        return msgspec.msgpack.encode(self)

    @staticmethod
    def decode(data: bytes) -> "State":
        """The state of `encode`'s bytes. Raises ValueError for anything else."""
        return _decode(data, State)


@dataclass(frozen=True, slots=True)
class Pending:
    """What the initiator keeps until the answer: its offer, dk of ek_I, s_I, the link's secret, n_R."""

    offer: _Offer = field(repr=False)
    dk: _Bytes32 = field(repr=False)
    s: _Bytes32 = field(repr=False)
    secret: _Bytes16 | None = field(repr=False)
    peer_modulus: _Modulus = field(repr=False)

    @property
    def session_id(self) -> bytes:
        """The id (32 bytes) of the session that the offer is for."""
        return session_id_of(self.offer)

    def encode(self) -> bytes:
        """The pending offer for a store. It is all secrets: whoever stores it seals it."""
        return msgspec.msgpack.encode(self)

    @staticmethod
    def decode(data: bytes) -> "Pending":
        """The pending offer of `encode`'s bytes. Raises ValueError for anything else."""
        return _decode(data, Pending)


def session_id_of(offer: bytes) -> bytes:
    """The session id (32 bytes): the hash of the offer's bytes."""
    return primitives.sha256(SESSION_LABEL + offer)


_T = TypeVar("_T", State, Pending)


def _decode(data: bytes, kind: type[_T]) -> _T:
    value = msgspec.msgpack.decode(data, type=kind)
    if msgspec.msgpack.encode(value) != data:
        raise ValueError("not the one form of a state")
    return value
