"""The public part of the ciphertexts (PROTOCOL §5, §6), read from bytes. It holds no key and opens nothing.

    offer     2082 bytes  01 01, initiator 32, responder 32, n_I 384, ek_I 1216, c_R 384, invite 32
    answer    2786 bytes  01 02, session 32, c_I 384, ct 1120, ek_R 1216, confirm_R 32
    message   header      01 03, session 32, sender 1, epoch 4, n 4, salt 16, 00 or 01 ct 1120 ek 1216 c 384
              then body   AES-GCM of a frame that is padded to at least 256 bytes, with its tag of 16
    volatile  header      01 04, session 32, sender 1, epoch 4, n 4, counter 4, nonce 12; then body as above;
                          1 KiB in all at most, as nobody waits for a slow reader of these

Hashes and session ids are bytes in an envelope, and text (b64u, 43 characters) in what is returned here.
Everything that is wrong raises `errors.BadEnvelope`.
"""

import hashlib
import struct
from binascii import b2a_base64

import msgspec

from chat import errors

VERSION = 1
OFFER, ANSWER, MESSAGE, VOLATILE = 1, 2, 3, 4
KINDS = {OFFER: "offer", ANSWER: "answer", MESSAGE: "message", VOLATILE: "volatile"}

STEP_BYTES = 1120 + 1216 + 384
TAG_BYTES = 16
FRAME_MIN_BYTES = 256
VOLATILE_MAX_BYTES = 1024

_URLSAFE = bytes.maketrans(b"+/", b"-_")
_OFFER = struct.Struct(">BB32s32s384s1216s384s32s")
_ANSWER = struct.Struct(">BB32s384s1120s1216s32s")
_MESSAGE = struct.Struct(">BB32sBII16sB")
_VOLATILE = struct.Struct(">BB32sBIII12s")

OFFER_BYTES = _OFFER.size
ANSWER_BYTES = _ANSWER.size
HEADER_BYTES = _MESSAGE.size
STEP_HEADER_BYTES = HEADER_BYTES + STEP_BYTES


class Offer(msgspec.Struct, frozen=True):
    """An offer's fields; the invite is zeros where there was no secret."""

    session: str
    initiator: str
    responder: str
    modulus: bytes
    ek: bytes
    sealed: bytes
    invite: bytes

    @property
    def invited(self) -> bool:
        return any(self.invite)


class Answer(msgspec.Struct, frozen=True):
    session: str
    sealed: bytes
    ct: bytes
    ek: bytes
    confirm: bytes


class Message(msgspec.Struct, frozen=True):
    """A message's header. `padded_bytes` is the length of the padded frame inside the body."""

    session: str
    sender: int
    epoch: int
    n: int
    salt: bytes
    step: bool
    padded_bytes: int


class Volatile(msgspec.Struct, frozen=True):
    session: str
    sender: int
    epoch: int
    n: int
    counter: int


def b64u(value: bytes) -> str:
    """`value` in base64url without padding; 32 bytes make 43 characters."""
    return b2a_base64(value, newline=False).translate(_URLSAFE, b"=").decode("ascii")


def session_of(offer: bytes) -> str:
    """The id of the session that `offer` begins: SHA-256("quarter/1 session" ‖ offer)."""
    return b64u(hashlib.sha256(b"quarter/1 session" + offer).digest())


def parse_offer(body: bytes) -> Offer:
    """The fields of an offer of 2082 bytes whose two hashes differ."""
    if len(body) != OFFER_BYTES:
        raise errors.BadEnvelope
    version, kind, initiator, responder, modulus, ek, sealed, invite = _OFFER.unpack(body)
    _check(version, kind, OFFER)
    if initiator == responder:
        raise errors.BadEnvelope
    return Offer(session_of(body), b64u(initiator), b64u(responder), modulus, ek, sealed, invite)


def parse_answer(body: bytes) -> Answer:
    """The fields of an answer of 2786 bytes."""
    if len(body) != ANSWER_BYTES:
        raise errors.BadEnvelope
    version, kind, session, sealed, ct, ek, confirm = _ANSWER.unpack(body)
    _check(version, kind, ANSWER)
    return Answer(b64u(session), sealed, ct, ek, confirm)


def parse_message(body: bytes) -> Message:
    """The header of a message; 60 bytes, or 2780 with a step, before the body."""
    if len(body) < HEADER_BYTES:
        raise errors.BadEnvelope
    version, kind, session, sender, epoch, n, salt, step = _MESSAGE.unpack_from(body)
    _check(version, kind, MESSAGE)
    padded = len(body) - HEADER_BYTES - step * STEP_BYTES - TAG_BYTES
    if sender > 1 or step > 1 or padded < FRAME_MIN_BYTES:
        raise errors.BadEnvelope
    return Message(b64u(session), sender, epoch, n, salt, bool(step), padded)


def parse_volatile(body: bytes) -> Volatile:
    """The header of a volatile frame."""
    if not _VOLATILE.size + TAG_BYTES <= len(body) <= VOLATILE_MAX_BYTES:
        raise errors.BadEnvelope
    version, kind, session, sender, epoch, n, counter, _nonce = _VOLATILE.unpack_from(body)
    _check(version, kind, VOLATILE)
    if sender > 1:
        raise errors.BadEnvelope
    return Volatile(b64u(session), sender, epoch, n, counter)


def _check(version: int, kind: int, wanted: int) -> None:
    if version != VERSION or kind != wanted:
        raise errors.BadEnvelope


def describe(kind: str, body: bytes) -> dict[str, object]:
    """What anyone can see of a stored ciphertext: version, kind, and a message's header."""
    seen: dict[str, object] = {"version": body[0] if body else None, "kind": kind}
    if kind == KINDS[MESSAGE]:
        header = parse_message(body)
        seen |= {
            "sender": header.sender,
            "epoch": header.epoch,
            "n": header.n,
            "step": header.step,
            "padded_bytes": header.padded_bytes,
        }
    return seen
