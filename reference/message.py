"""The bytes of a message (PROTOCOL §6).

    version 1  kind 1  session id 32  sender 1  epoch 4  n 4  salt 16  step 1, or 1 + 2720: ct ‖ ek ‖ c
    body: a frame of 256 bytes to 32 KiB and its tag

All before the body is the header, which is the associated data of the body.
"""

from dataclasses import dataclass, field
from typing import Final

from reference import kem, padding, primitives
from reference.errors import ProtocolError
from reference.primitives import MODULUS_BYTES, TAG_BYTES

VERSION: Final = 0x01
KIND: Final = 0x03
SALT_BYTES: Final = 16
HEADER_BYTES: Final = 60
STEP_BYTES: Final = kem.CT_BYTES + kem.EK_BYTES + MODULUS_BYTES


@dataclass(frozen=True, slots=True)
class Step:
    """What an epoch's first message brings: ct (1120 bytes) to the peer's ek, a fresh ek (1216), c (384)."""

    ct: bytes = field(repr=False)
    ek: bytes = field(repr=False)
    c: bytes = field(repr=False)

    def encode(self) -> bytes:
        """ct ‖ ek ‖ c, 2720 bytes."""
        return self.ct + self.ek + self.c


@dataclass(frozen=True, slots=True)
class Header:
    """All of a message but its body."""

    session_id: bytes
    sender: int
    epoch: int
    n: int
    salt: bytes
    step: Step | None

    def encode(self) -> bytes:
        """60 bytes, or 2780 with a step."""
        numbers = bytes([self.sender]) + self.epoch.to_bytes(4) + self.n.to_bytes(4)
        step = b"\x01" + self.step.encode() if self.step else b"\x00"
        return bytes([VERSION, KIND]) + self.session_id + numbers + self.salt + step


@dataclass(frozen=True, slots=True)
class Message:
    """A message, taken apart: its header, and the body with its tag."""

    header: Header
    body: bytes = field(repr=False)


def parse(data: bytes) -> Message:
    """A message's parts.

    Raises ProtocolError `length`, `version`, or `kind` (also for the sender and step bytes).
    """
    step_byte = data[HEADER_BYTES - 1] if len(data) >= HEADER_BYTES else None
    header_bytes = HEADER_BYTES + (STEP_BYTES if step_byte == 0x01 else 0)
    body = data[header_bytes:]
    if not padding.MIN_BYTES <= len(body) - TAG_BYTES <= padding.MAX_BYTES:
        raise ProtocolError("length")
    if data[0] != VERSION:
        raise ProtocolError("version")
    if data[1] != KIND or data[34] > 0x01 or step_byte not in (0x00, 0x01):
        raise ProtocolError("kind")
    header = Header(
        session_id=data[2:34],
        sender=data[34],
        epoch=int.from_bytes(data[35:39]),
        n=int.from_bytes(data[39:43]),
        salt=data[43:59],
        step=_parse_step(data[HEADER_BYTES:header_bytes]) if step_byte else None,
    )
    return Message(header, body)


def digest(data: bytes) -> bytes:
    """What a record keeps of a message's bytes: 32 bytes."""
    return primitives.sha256(data)


def _parse_step(data: bytes) -> Step:
    ct, rest = data[: kem.CT_BYTES], data[kem.CT_BYTES :]
    return Step(ct, rest[: kem.EK_BYTES], rest[kem.EK_BYTES :])
