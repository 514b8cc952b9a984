"""Volatile frames: typing, which nobody stores (PROTOCOL §6).

    version 1  kind 1  session id 32  sender 1  epoch 4  n 4  counter 4  nonce 12
    body: a frame and its tag, sealed under a key of the sending chain that was last used

n is that of the sender's next message; the counter goes up from 0 for each n.

A side that was restarted does not know its counter any more: it sends none until its next message. What
opened dies 6 s after it came.
"""

import os
from typing import Final

from reference import content as contents
from reference import padding, primitives
from reference.content import Typing
from reference.errors import ProtocolError
from reference.primitives import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Random
from reference.state import MAX_UINT32, Chain, State

VERSION: Final = 0x01
KIND: Final = 0x04
HEADER_BYTES: Final = 59
INFO: Final = b"quarter/1 volatile"


def seal(state: State, counter: int, typing: Typing, random: Random = os.urandom) -> bytes:
    """The volatile frame (331 bytes) for a counter that this side has not used since its last message.

    Raises ProtocolError `turn` for a side that has no sending chain yet, and `spent` for a counter above 4
    bytes.
    """
    if state.sending is None:
        raise ProtocolError("turn")
    if counter > MAX_UINT32:
        raise ProtocolError("spent")
    nonce = random(NONCE_BYTES)
    header = _prefix(state.session_id, state.sender, state.sending, state.sent) + counter.to_bytes(4) + nonce
    return header + primitives.seal(frame_key(state.sending), nonce, contents.write(typing), header)


def take(state: State, data: bytes, above: int = -1) -> tuple[int, Typing] | None:
    """The counter and content of a frame that came as the peer's, or None for whatever else it is.

    `above` is the counter that last opened since the peer's last message, −1 if none did. Nothing is ever
    stored, stepped or fetched for it.
    """
    if not padding.MIN_BYTES <= len(data) - HEADER_BYTES - TAG_BYTES <= padding.MAX_BYTES:
        return None
    if state.receiving is None or not data.startswith(
        _prefix(state.session_id, 1 - state.sender, state.receiving, state.taken)
    ):
        return None
    header, body = data[:HEADER_BYTES], data[HEADER_BYTES:]
    counter, nonce = int.from_bytes(header[43:47]), header[47:]
    if counter <= above:
        return None
    try:
        frame = primitives.unseal(frame_key(state.receiving), nonce, body, header)
    except ProtocolError:
        return None
    typing = contents.read_typing(frame)
    return None if typing is None else (counter, typing)


def frame_key(chain: Chain) -> bytes:
    """The key (32 bytes) of the volatile frames before a chain's next message."""
    return primitives.hkdf(chain.key, b"", INFO, KEY_BYTES)


def _prefix(session_id: bytes, sender: int, chain: Chain, n: int) -> bytes:
    """All of the header before the counter."""
    return bytes([VERSION, KIND]) + session_id + bytes([sender]) + chain.epoch.to_bytes(4) + n.to_bytes(4)
