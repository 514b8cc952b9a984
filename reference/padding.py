"""Frames: a content with its length in front and zeros behind, so that its size tells little (PROTOCOL §7).

    frame = length (4) ‖ content ‖ zeros        Padmé(max(256, 4 + length)) bytes, at most 32 KiB

The length is that of the content.
"""

from typing import Final

from reference.errors import ProtocolError

MIN_BYTES: Final = 256
MAX_BYTES: Final = 32 * 1024

_LENGTH_BYTES: Final = 4


def padme(length: int) -> int:
    """The padded length of a length of at least 2 (PURBs, PoPETs 2019): at most 12 % more."""
    exponent = length.bit_length() - 1
    mantissa_bits = exponent.bit_length()
    unit = 1 << (exponent - mantissa_bits)
    return -(-length // unit) * unit


def frame(content: bytes) -> bytes:
    """The frame of a content, 256 bytes to 32 KiB. Raises ProtocolError `content` where it does not fit."""
    size = padme(max(MIN_BYTES, _LENGTH_BYTES + len(content)))
    if size > MAX_BYTES:
        raise ProtocolError("content")
    return (len(content).to_bytes(_LENGTH_BYTES) + content).ljust(size, b"\0")


def unframe(framed: bytes) -> bytes:
    """The content of a frame. Raises ProtocolError `content` for any other padding."""
    content = framed[_LENGTH_BYTES : _LENGTH_BYTES + int.from_bytes(framed[:_LENGTH_BYTES])]
    if framed != frame(content):
        raise ProtocolError("content")
    return content
