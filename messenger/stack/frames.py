"""Frames of a websocket as both servers cut and write them (RFC 6455 §5.2), and how many they hold back.

A whole binary message, which is all that an honest page sends, goes from the stream to the application by
this short way (docs/decisions/9). Everything else is the library's, one frame at a time.
"""

FRAMES_MOST = 64
LOOK_AGAIN_SECONDS = 0.02
CONTROL_SECONDS = 1.0
MESSAGE_BYTES = 131072
WHOLE_BINARY, MASKED, CONTROL = 0x82, 0x80, 0x08
# A message or the first, a middle or the last part of one; close, ping, pong.
BEGINNINGS = frozenset(b"\x82\x81\x02\x01\x00\x80\x88\x89\x8a")


def frame_in(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `at` begins and ends; None if it isn't all there.

    What no client may begin with, or has a length too large or oddly written, ends where the data ends and
    has no payload (0): the library will refuse it.
    """
    if len(data) < at + 2:
        return None
    start, length, least = at + 2, data[at + 1] & 127, 0
    if data[at] not in BEGINNINGS or not data[at + 1] & MASKED:
        return 0, len(data)
    if length > 125:
        start, least = (start + 2, 126) if length == 126 else (start + 8, 65536)
        length = int.from_bytes(data[at + 2 : start])
    start += 4
    if len(data) < start:
        return None
    if not least <= length <= MESSAGE_BYTES:
        return 0, len(data)
    return (start, start + length) if start + length <= len(data) else None


def header_of(length: int) -> bytes:
    """The header of a whole binary message of the server."""
    if length < 126:
        return bytes((WHOLE_BINARY, length))
    if length < 65536:
        return bytes((WHOLE_BINARY, 126)) + length.to_bytes(2)
    return bytes((WHOLE_BINARY, 127)) + length.to_bytes(8)
