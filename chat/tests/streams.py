"""Streams of websocket frames as clients send them, honest ones and others (RFC 6455 §5)."""

from hypothesis import strategies as st
from websockets.utils import apply_mask

REQUEST = (
    b"GET /ws/send/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
MASK = b"\x01\x02\x03\x04"
TEXT, BINARY, CLOSE, PING, PONG, FINAL, MASKED = 1, 2, 8, 9, 10, 0x80, 0x80


def frame(first: int, payload: bytes, mask: bytes = MASK) -> bytes:
    """A frame that begins with this byte; masked, unless `mask` is empty."""
    size = len(payload)
    short, more = (
        (size, b"") if size < 126 else (126, size.to_bytes(2)) if size < 65536 else (127, size.to_bytes(8))
    )
    hidden = apply_mask(payload, mask) if mask else payload
    return bytes([first, (MASKED if mask else 0) | short]) + more + mask + hidden


_sizes = st.sampled_from([0, 1, 125, 126, 127, 300, 65535, 65536])
_payloads = _sizes.map(lambda size: bytes(at % 251 for at in range(size)))
_whole = st.builds(frame, st.just(FINAL | BINARY), _payloads, st.sampled_from([MASK, b"\xff\x00\xaa\x55"]))
_fragments = st.builds(
    lambda first, middle, last: frame(BINARY, first) + frame(FINAL | PING, b"") + frame(0, middle) + last,
    _payloads,
    _payloads,
    _payloads.map(lambda payload: frame(FINAL, payload)),
)
_control = st.builds(frame, st.sampled_from([FINAL | PING, FINAL | PONG]), st.binary(max_size=125))
_text = st.builds(frame, st.just(FINAL | TEXT), st.text(max_size=200).map(str.encode))
honest = st.lists(st.one_of(_whole, _fragments, _control, _text), max_size=6)
ill = st.one_of(
    st.just(frame(FINAL | BINARY, b"not masked", b"")),
    st.just(frame(FINAL | BINARY | 0x40, b"compressed")),
    st.just(frame(FINAL | 3, b"reserved")),
    st.just(frame(FINAL, b"goes on with nothing")),
    st.just(frame(BINARY, b"has begun") + frame(FINAL | BINARY, b"and another begins")),
    st.just(frame(FINAL | PING, bytes(126))),
    st.just(bytes([FINAL | BINARY, 0xFF]) + (1 << 40).to_bytes(8) + MASK),
    st.just(frame(FINAL | CLOSE, b"\x03\xe8")),
    st.just(bytes([FINAL | BINARY, 0xFE, 0, 5]) + MASK + b"spare"),
    st.just(bytes([FINAL | BINARY, 0xFF]) + (300).to_bytes(8) + MASK + bytes(300)),
    st.just(b""),
)
#: Where a stream is cut on its way.
cuts = st.lists(st.integers(1, 3000), max_size=12)
