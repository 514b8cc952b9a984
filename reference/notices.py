"""What a client tells its person that belongs to no open conversation."""

from collections.abc import Callable
from dataclasses import dataclass, field

from reference import b64u, trouble
from reference.handshake import Offer


@dataclass(frozen=True, slots=True)
class Online:
    """The connection is there, or (False) gone and tried again."""

    on: bool


@dataclass(frozen=True, slots=True)
class LinkTried:
    """Somebody tried a link that had been used; by the owner's name for it."""

    name: str


@dataclass(frozen=True, slots=True)
class EndedAway:
    """A conversation that was kept is over, before it could be brought back."""

    session: str
    over: trouble.Over


@dataclass(frozen=True, slots=True)
class RequestGone:
    """A request is over before it was answered; by its session id."""

    session: str


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody who has this side's code asks to talk, without a link: nothing shows who they are.

    `accept` lets them in: the conversation comes as all do. `decline` says no. Neither does anything where
    the request is over.
    """

    offer: Offer = field(repr=False)
    accept: Callable[[], None] = field(repr=False)
    decline: Callable[[], None] = field(repr=False)

    @property
    def peer(self) -> str:
        """The code that they give."""
        return b64u.encode(self.offer.initiator)

    @property
    def session(self) -> str:
        """The session id, 43 characters."""
        return b64u.encode(self.offer.session_id)


Told = Online | LinkTried | EndedAway | RequestGone | Request
