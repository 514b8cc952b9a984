"""Alice, Bob and Mallory, and conversations of Alice and Bob's."""

from dataclasses import dataclass
from functools import cache

from reference import handshake, ratchet
from reference.content import Hello, Sendable
from reference.identity import Identity
from reference.ratchet import Sealed, Taken
from reference.state import Pending, State

SECRET = b"a link's secret!"


@cache
def identity(name: str) -> Identity:
    """The identity of a person, made once in a run."""
    return Identity.generate()


def alice() -> Identity:
    """The guest."""
    return identity("alice")


def bob() -> Identity:
    """The owner of the link."""
    return identity("bob")


def mallory() -> Identity:
    """Outside of it all."""
    return identity("mallory")


@dataclass(frozen=True)
class Handshake:
    """Alice's offer and Bob's answer, and what each of the two kept."""

    offer: bytes
    pending: Pending
    answer: bytes
    guest: State
    owner: State


def shake_hands(secret: bytes | None = SECRET) -> Handshake:
    """A handshake by a link, or by a request."""
    offer, pending = handshake.make_offer(alice(), bob().hash, bob().modulus, secret)
    answer, owner = handshake.answer_offer(bob(), handshake.read_offer(bob(), offer), secret)
    return Handshake(offer, pending, answer, handshake.accept_answer(alice(), pending, answer), owner)


def none_taken(n: int) -> bytes | None:
    """The digests of somebody who has taken nothing."""
    return None


def take(identity: Identity, state: State, data: bytes) -> Taken:
    """Take a message that must open."""
    verdict = ratchet.take(identity, state, data, none_taken)
    assert isinstance(verdict, Taken), verdict
    return verdict


@dataclass
class Talk:
    """A conversation of Alice's and Bob's, in which each message is taken at once."""

    alice: State
    bob: State

    def say(self, sender: str, content: Sendable) -> Sealed:
        """Seal a message of `sender` ("alice" or "bob"), and have the other take it."""
        receiver = "bob" if sender == "alice" else "alice"
        sealed = ratchet.seal(getattr(self, sender), content)
        setattr(self, sender, sealed.state)
        setattr(self, receiver, take(identity(receiver), getattr(self, receiver), sealed.data).state)
        return sealed


def talk(secret: bytes | None = SECRET) -> Talk:
    """A conversation that is open: the hello was taken, and nothing was said since."""
    shaken = shake_hands(secret)
    begun = Talk(shaken.guest, shaken.owner)
    begun.say("alice", Hello(1))
    return begun
