"""Alice and Bob, who talk, and Mallory, who is outside; and the ciphertexts that they send.

The server can't tell ciphertext from noise, so noise with a true header is what these are.
"""

import hashlib
import secrets
import struct
from dataclasses import dataclass

from django.utils import timezone

from accounts import b64u, identities, tokens
from chat import sessions

STEP_BYTES = 1120 + 1216 + 384


@dataclass(frozen=True)
class Person:
    name: str
    hash: str
    raw: bytes
    modulus: bytes
    token: str


def meet(name: str) -> Person:
    """A new identity, logged in."""
    modulus = b"\xff" + secrets.token_bytes(382) + b"\x01"
    now = timezone.now()
    user = identities.meet(modulus, now)
    return Person(name, user, b64u.decode(user, 32), modulus, tokens.issue(user, now))


def make_offer(initiator: Person, responder: Person, invited: bool = True) -> bytes:
    """2082 bytes (PROTOCOL §5)."""
    invite = secrets.token_bytes(32) if invited else bytes(32)
    head = b"\x01\x01" + initiator.raw + responder.raw + initiator.modulus
    return head + secrets.token_bytes(1216 + 384) + invite


def make_answer(session: str) -> bytes:
    """2786 bytes (PROTOCOL §5)."""
    return b"\x01\x02" + raw(session) + secrets.token_bytes(384 + 1120 + 1216 + 32)


def make_message(
    session: str, side: int, n: int, size: int = 256, step: bool = False, epoch: int = 1, noise: bytes = b""
) -> bytes:
    """A message whose padded frame has `size` bytes (PROTOCOL §6); `noise` begins its body."""
    head = b"\x01\x03" + raw(session) + struct.pack(">BII", side, epoch, n) + secrets.token_bytes(16)
    steps = b"\x01" + secrets.token_bytes(STEP_BYTES) if step else b"\x00"
    return head + steps + noise + secrets.token_bytes(size + 16 - len(noise))


def make_volatile(session: str, side: int, counter: int = 0) -> bytes:
    head = b"\x01\x04" + raw(session) + struct.pack(">BIII", side, 1, 1, counter)
    return head + secrets.token_bytes(12 + 256 + 16)


def raw(session: str) -> bytes:
    """A session id or hash as its 32 bytes."""
    return b64u.decode(session, 32)


def open_session(initiator: Person, responder: Person) -> str:
    """An answered session of the two; its id."""
    offer = make_offer(initiator, responder)
    session = sessions.offer(initiator.hash, offer).session
    sessions.answer(responder.hash, session, make_answer(session))
    return session


def session_of(offer: bytes) -> str:
    """The id that the server must give to this offer."""
    return b64u.encode(hashlib.sha256(b"quarter/1 session" + offer).digest())
