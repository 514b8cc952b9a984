"""Sealing and taking messages (PROTOCOL §6).

Rules
    A side whose turn it is (it holds the peer's newest ek, unused) steps with its next message; no other
    message carries a step. Steps form one line: the initiator's epochs are odd, the responder's even. Each
    message is keyed once, from its chain's key and a fresh salt, and the chain moves on. The initiator's
    first message is the hello, nothing else is, and the responder waits for it. Only Taken changes the state.
    Broken is for good: after it, nothing is sent but bye, nothing shown as secure.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from reference import content as contents
from reference import kem, primitives
from reference import message as messages
from reference.content import Hello, Sendable, Stored, Unreadable
from reference.errors import Code, ProtocolError
from reference.identity import Identity
from reference.message import Header, Message, Step
from reference.primitives import KEY_BYTES, NONCE_BYTES, Random
from reference.state import MAX_UINT32, Chain, State, Turn

STEP_LABEL: Final = b"quarter/1 step"
RATCHET_INFO: Final = b"quarter/1 ratchet"
MESSAGE_INFO: Final = b"quarter/1 message"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message to send: the next state, its bytes (`data`) and n, and what its record keeps.

    `digest` is H(data), 32 bytes; `key` is key ‖ nonce, 44 bytes; `content` is the one given, with its
    `seen`.
    """

    state: State
    data: bytes = field(repr=False)
    n: int
    digest: bytes
    key: bytes = field(repr=False)
    content: Sendable = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """The message opened: the next state, and what its record keeps (as in Sealed)."""

    state: State
    content: Stored = field(repr=False)
    n: int
    digest: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Drop:
    """Not a message of the peer's in this conversation."""


@dataclass(frozen=True, slots=True)
class Resend:
    """The message n that was taken before, once more."""

    n: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A later message than the one `expected`: fetch what is missing, for 30 s; then it is broken."""

    expected: int


@dataclass(frozen=True, slots=True)
class Failed:
    """It does not open (`epoch`, `rsa`, `kem` or `aead`): fetch it anew, for 30 s; then it is broken."""

    code: Code


@dataclass(frozen=True, slots=True)
class Broken:
    """Broken for good: other bytes under an n that was taken, a wrong hello, or an impossible `seen`."""

    code: Literal["other-bytes", "hello", "seen"]


Verdict = Taken | Drop | Resend | Gap | Failed | Broken


def seal(state: State, content: Sendable, random: Random = os.urandom) -> Sealed:
    """Seal this side's next message. `seen` is set to what this side has taken, whatever the content says.

    Raises ProtocolError `turn` for a hello that is not the initiator's first message, another first message
    of its, and a responder's message before the hello; `too-long` and `content` for what can't be written;
    `spent` at the end of a counter.
    """
    if isinstance(content, Hello) != (state.role == "initiator" and state.sent == 0):
        raise ProtocolError("turn")
    if state.sent == MAX_UINT32:
        raise ProtocolError("spent")
    content = replace(content, seen=state.taken)
    frame = contents.write(content)
    step, state, chain = _step_out(state, random)
    salt = random(messages.SALT_BYTES)
    header = Header(state.session_id, state.sender, chain.epoch, state.sent, salt, step).encode()
    key, following = message_key(chain, salt)
    data = header + primitives.seal(key[:KEY_BYTES], key[KEY_BYTES:], frame, header)
    after = replace(state, sending=following, sent=state.sent + 1)
    return Sealed(after, data, state.sent, messages.digest(data), key, content)


def take(
    identity: Identity, state: State, data: bytes, taken_digest: Callable[[int], bytes | None]
) -> Verdict:
    """Judge bytes that came as the peer's message. The numbers are those of "To take a message".

    `taken_digest` answers H of the peer's message n as it was taken, or None where no record has one.
    """
    try:  # (1)
        message = messages.parse(data)
    except ProtocolError:
        return Drop()
    header = message.header
    if header.session_id != state.session_id or header.sender == state.sender:
        return Drop()
    if header.n < state.taken:  # (2)
        return Resend(header.n) if taken_digest(header.n) == messages.digest(data) else Broken("other-bytes")
    if header.n > state.taken:  # (3)
        return Gap(state.taken)
    try:  # (4)
        after, key, frame = _open(identity, state, message)
    except ProtocolError as error:
        return Failed(error.code)
    content = contents.read(frame)  # (5)
    if isinstance(content, Hello) != (header.sender == 0 and header.n == 0):  # (6)
        return Broken("hello")
    if isinstance(content, Unreadable):
        return Taken(after, content, header.n, messages.digest(data), key)
    if not state.seen <= content.seen <= state.sent:
        return Broken("seen")
    return Taken(replace(after, seen=content.seen), content, header.n, messages.digest(data), key)


def open_again(data: bytes, key: bytes) -> Stored:
    """The content of a message, sent or taken, by the key ‖ nonce (44 bytes) of its record.

    Whoever reads again compares the digest first. Raises ProtocolError `length`, `version`, `kind` or `aead`.
    """
    message = messages.parse(data)
    associated = data[: -len(message.body)]
    return contents.read(primitives.unseal(key[:KEY_BYTES], key[KEY_BYTES:], message.body, associated))


def step_label(session_id: bytes, epoch: int, ct: bytes, ek: bytes) -> bytes:
    """The OAEP label of a step's c."""
    return STEP_LABEL + session_id + epoch.to_bytes(4) + primitives.sha256(ct + ek)


def step_keys(
    root: bytes, ss: bytes, s: bytes, session_id: bytes, epoch: int, step: Step
) -> tuple[bytes, bytes]:
    """The next root, and the key of the new epoch's chain: 32 bytes each."""
    info = RATCHET_INFO + session_id + epoch.to_bytes(4) + primitives.sha256(step.encode())
    keys = primitives.hkdf(ss + s, root, info, 2 * KEY_BYTES)
    return keys[:KEY_BYTES], keys[KEY_BYTES:]


def message_key(chain: Chain, salt: bytes) -> tuple[bytes, Chain]:
    """key ‖ nonce (44 bytes) of a chain's next message, and the chain after it."""
    seed = primitives.hmac_sha256(chain.key, b"\x01")
    following = primitives.hmac_sha256(chain.key, b"\x02")
    return primitives.hkdf(seed, salt, MESSAGE_INFO, KEY_BYTES + NONCE_BYTES), Chain(chain.epoch, following)


def _step_out(state: State, random: Random) -> tuple[Step | None, State, Chain]:
    """The step that this side's next message carries, if it is its turn; the state after it; its chain."""
    turn = state.turn
    if turn.whose == "theirs":
        if state.sending is None:  # the responder, before the hello
            raise ProtocolError("turn")
        return None, state, state.sending
    if turn.epoch == MAX_UINT32:
        raise ProtocolError("spent")
    epoch = turn.epoch + 1
    ct, ss = kem.encapsulate(turn.key)
    ek, dk = kem.generate(random)
    s = random(KEY_BYTES)
    c = primitives.oaep_seal(state.peer_modulus, s, step_label(state.session_id, epoch, ct, ek))
    step = Step(ct, ek, c)
    root, key = step_keys(state.root, ss, s, state.session_id, epoch, step)
    chain = Chain(epoch, key)
    return step, replace(state, root=root, turn=Turn("theirs", epoch, dk), sending=chain), chain


def _step_in(identity: Identity, state: State, epoch: int, step: Step) -> State:
    """The state after the peer's step. Raises ProtocolError `epoch`, `kem` or `rsa`."""
    turn = state.turn
    if turn.whose != "theirs" or epoch != turn.epoch + 1:
        raise ProtocolError("epoch")
    ss = kem.decapsulate(turn.key, step.ct)
    kem.encapsulate(step.ek)  # so that this side's next step can't fail
    s = identity.open(step.c, step_label(state.session_id, epoch, step.ct, step.ek))
    root, key = step_keys(state.root, ss, s, state.session_id, epoch, step)
    return replace(state, root=root, turn=Turn("mine", epoch, step.ek), receiving=Chain(epoch, key))


def _open(identity: Identity, state: State, message: Message) -> tuple[State, bytes, bytes]:
    """The state after a message with the expected n, its key ‖ nonce, and its frame."""
    header = message.header
    if header.step:
        state = _step_in(identity, state, header.epoch, header.step)
    if state.receiving is None or state.receiving.epoch != header.epoch:
        raise ProtocolError("epoch")
    key, following = message_key(state.receiving, header.salt)
    frame = primitives.unseal(key[:KEY_BYTES], key[KEY_BYTES:], message.body, header.encode())
    return replace(state, receiving=following, taken=state.taken + 1), key, frame
