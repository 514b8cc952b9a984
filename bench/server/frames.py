"""Websocket frames (RFC 6455 §5) as the load generator makes and skips them: bytes in, bytes out.

What is sent is made once and only has a number written into it for each message: the generator must cost less
than the server that it measures. What comes in is skipped by its length, and a few bytes of it are looked at.
"""

import base64
import os
import struct
from collections.abc import Iterator, Sequence

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
#: Never zero: some servers have a short cut for a mask that changes nothing.
MASK = b"\xa5\x3c\x96\x0f"
_UINT32 = struct.Struct(">I")


def request(host: str, path: str, origin: str) -> bytes:
    """The opening handshake (RFC 6455 §4.1)."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        f"Origin: {origin}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def masked(payload: bytes, opcode: int = BINARY) -> bytes:
    """One whole frame as a client sends it; payloads of up to 65,535 bytes."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + length + MASK + _mask(payload, 0)


class Numbered:
    """A frame that is sent again and again with another number at some places of its payload.

    `places` are offsets into the payload, each of four bytes, big-endian.
    """

    def __init__(self, payload: bytes, places: Sequence[int], opcode: int = BINARY) -> None:
        self._frame = bytearray(masked(payload, opcode))
        head = len(self._frame) - len(payload)
        self._places = [(head + place, _UINT32.unpack(_mask(bytes(4), place))[0]) for place in places]

    def of(self, number: int) -> bytes:
        """The frame that says `number`."""
        for place, mask in self._places:
            _UINT32.pack_into(self._frame, place, number ^ mask)
        return bytes(self._frame)


def skim(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The unmasked frames in `data`: opcode, and where the payload begins and ends.

    The last one has opcode -1: there the first frame begins that is not whole.
    """
    at, end = 0, len(data)
    while end - at >= 2:
        size, begin = data[at + 1], at + 2
        if size >= 126:
            begin += 2 if size == 126 else 8
            size = int.from_bytes(data[at + 2 : begin], "big")
        if begin + size > end:
            break
        yield data[at] & 15, begin, begin + size
        at = begin + size
    yield -1, at, end


def _mask(payload: bytes, offset: int) -> bytes:
    size = len(payload)
    key = (MASK * (size // 4 + 2))[offset % 4 : offset % 4 + size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
