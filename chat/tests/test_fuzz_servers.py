"""Garbage below the frames, on the real listening servers: the connection it came on ends, and no other."""

import base64
import contextlib
import re
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.client import connect
from websockets.typing import Origin

from chat import wire
from chat.tests import servers
from chat.tests.people import Person
from chat.tests.servers import ORIGIN, WAIT_SECONDS, Server
from messenger.stack import parts
from messenger.tests.fuzz import runs

BRIEFLY_SECONDS = 0.5
CONTINUATION, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9
MASK = bytes(4)  # a mask of zeros is one
LIMIT = 131_072  # what messenger/stack/parts.py tells both servers


@pytest.fixture(params=["daphne", "uvicorn"])
def server(
    request: pytest.FixtureRequest,
    redis_url: str,
    tmp_path: Path,
    alice: Person,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Server]:
    """A started server, on which Alice's socket works before and after, and which logs no trouble."""
    name: parts.ServerName = request.param
    with servers.start(name, redis_url, tmp_path, QUARTER_LIMIT_SOCKETS_PER_ADDRESS="100000") as server:
        given: Any = {"origin": Origin(ORIGIN), "compression": None, "open_timeout": WAIT_SECONDS}
        with connect(f"{server.url}/ws/send/", **given) as socket:
            socket.send(wire.encode(wire.SendHello(alice.token)))
            assert b"ready" in socket.recv(WAIT_SECONDS)
            yield server
            socket.send(wire.encode(wire.Lookup(1, alice.hash)))
            assert alice.modulus in socket.recv(WAIT_SECONDS)
        server.end()
    assert re.search(r"\[(error|critical)|Traceback|error=", logged := capfd.readouterr().err) is None, logged


class Line:
    """A TCP connection to the server."""

    def __init__(self, server: Server) -> None:
        where = urlsplit(server.url)
        self._socket = socket.create_connection((where.hostname, where.port or 0), WAIT_SECONDS)

    def say(self, data: bytes) -> None:
        """Send as much as the other side takes."""
        with contextlib.suppress(OSError):
            self._socket.sendall(data)

    def hear(self, seconds: float = WAIT_SECONDS) -> bytes:
        """What comes next; nothing where the connection ended. TimeoutError."""
        self._socket.settimeout(seconds)
        with contextlib.suppress(ConnectionError):
            return self._socket.recv(65_536)
        return b""

    def hear_the_end(self) -> int | None:
        """The code of the close frame that comes; None where the connection just ends. TimeoutError."""
        heard = b""
        while piece := self.hear():
            heard += piece
            if found := re.search(rb"\x88[\x02-\x7d](..)", heard, re.S):
                return int.from_bytes(found[1])
        return None

    def close(self) -> None:
        self._socket.close()


# --- the handshake --------------------------------------------------------------------------------

GOOD = {
    "Host": "localhost:8000",
    "Origin": ORIGIN,
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
    "Sec-WebSocket-Version": "13",
}


def handshake(
    changes: Mapping[str, str | None] = MappingProxyType({}), first: str = "GET /ws/send/ HTTP/1.1"
) -> bytes:
    headers = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    lines = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


REFUSED = {
    "no key": handshake({"Sec-WebSocket-Key": None}),
    "a short key": handshake({"Sec-WebSocket-Key": "AAAA"}),
    "a key that is no base64": handshake({"Sec-WebSocket-Key": "\xff" * 24}),
    "an old version": handshake({"Sec-WebSocket-Version": "7"}),
    "no version": handshake({"Sec-WebSocket-Version": "x"}),
    "a foreign origin": handshake({"Origin": "http://mallory.example"}),
    "no origin": handshake({"Origin": None}),
    "another path": handshake(first="GET /ws/nowhere/ HTTP/1.1"),
    "an address for a path": handshake(first="GET http://[/ HTTP/1.1"),
    "a path that is no ASCII": handshake(first="GET /ws/\xff/ HTTP/1.1"),
    "POST": handshake(first="POST /ws/send/ HTTP/1.1"),
}
MANGLED = {
    "HTTP/9": handshake(first="GET /ws/send/ HTTP/9.9"),
    "HTTP/1.0": handshake(first="GET /ws/send/ HTTP/1.0"),
    "many headers": handshake({f"X-{number}": "x" for number in range(5000)}),
    "a long header": handshake({"X": "x" * 1_000_000}),
    "a folded header": handshake({"X": "a\r\n b"}),
    "a header with NUL": handshake({"X": "a\0b"}),
    "a header without colon": handshake({"Host: localhost:8000\r\nnonsense\r\nX": "y"}),
    "a name with spaces": handshake({"X Y ": "z"}),
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
}


def test_what_is_no_handshake_of_ours_opens_no_socket(server: Server) -> None:
    """The servers forgive some of what is mangled, where all that Quarter asks for is there."""
    for what, request in REFUSED.items():
        with closing(Line(server)) as line:
            line.say(request)
            assert re.match(rb"HTTP/1.1 4|$", line.hear()), what
    for what, request in MANGLED.items():
        with closing(Line(server)) as line:
            line.say(request)
            with contextlib.suppress(TimeoutError):
                assert re.match(rb"HTTP/1.1 [14]|$", line.hear(BRIEFLY_SECONDS)), what


def test_no_extension_and_no_subprotocol_is_agreed_to(server: Server) -> None:
    offered = {"Sec-WebSocket-Extensions": "permessage-deflate", "Sec-WebSocket-Protocol": "a, b"}
    with closing(Line(server)) as line:
        line.say(handshake(offered))
        answer = line.hear()
        assert answer.startswith(b"HTTP/1.1 101")
        assert b"sec-websocket-extensions" not in answer.lower()
        assert b"sec-websocket-protocol" not in answer.lower()


# --- frames below frames --------------------------------------------------------------------------


def frame(opcode: int, data: bytes, final: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """RFC 6455 §5.2, with the shortest length."""
    first, mask = opcode | rsv << 4 | final << 7, masked << 7
    if len(data) < 126:
        head = struct.pack(">BB", first, mask | len(data))
    elif len(data) < 65_536:
        head = struct.pack(">BBH", first, mask | 126, len(data))
    else:
        head = struct.pack(">BBQ", first, mask | 127, len(data))
    return head + (MASK if masked else b"") + data


def declared(length: int) -> bytes:
    """The beginning of a frame of this length, always in 8 bytes."""
    return struct.pack(">BBQ", 0x80 | BINARY, 0x80 | 127, length) + MASK + b"x"


BAD_FRAMES = {
    "no mask": frame(BINARY, b"x", masked=False),
    "a reserved bit": frame(BINARY, b"x", rsv=4),
    "all reserved bits": frame(BINARY, b"x", rsv=7),
    "a reserved kind": frame(3, b"x"),
    "a reserved control frame": frame(11, b"x"),
    "a ping in pieces": frame(PING, b"x", final=False),
    "a long ping": frame(PING, b"x" * 126),
    "a continuation of nothing": frame(CONTINUATION, b"x"),
    "two beginnings": frame(BINARY, b"x", final=False) + frame(BINARY, b"y"),
    "text that is no UTF-8": frame(TEXT, b"\xff\xfe"),
    "text cut within a letter": frame(TEXT, "é".encode()[:1]),
    "a close of one byte": frame(CLOSE, b"\x03"),
    "a close with no code": frame(CLOSE, struct.pack(">H", 1005)),
    "a close with words that are no UTF-8": frame(CLOSE, struct.pack(">H", 1000) + b"\xff"),
    "more than may be": frame(BINARY, bytes(LIMIT + 1)),
    "more than may be, in pieces": frame(BINARY, bytes(LIMIT), final=False)
    + frame(CONTINUATION, bytes(LIMIT)),
    "a length beyond all": declared(2**63 + 1),
    "a length of 8 EiB": declared(2**63 - 1),
    "a length of 4 GiB": declared(2**32),
    "no frame of the wire": frame(BINARY, b"\xc1"),
    "an empty one": frame(BINARY, b""),
    "text": frame(TEXT, b"{}"),
}


#: RFC 6455 §7.4.1: protocol error, not UTF-8, too big, and a close as it came; then our own.
CODES = (1000, 1002, 1007, 1009, 4400, 4413)


def opened(server: Server) -> Line:
    line = Line(server)
    line.say(handshake())
    assert line.hear().startswith(b"HTTP/1.1 101")
    return line


def test_garbage_ends_the_socket_that_it_came_on(server: Server) -> None:
    for what, data in BAD_FRAMES.items():
        with closing(opened(server)) as line:
            line.say(data)
            assert line.hear_the_end() in (None, *CODES), what


def test_a_hello_in_pieces_with_pings_between_them_is_a_hello(server: Server, alice: Person) -> None:
    said = wire.encode(wire.SendHello(alice.token))
    pieces = [frame(BINARY, said[:1], final=False)]
    for place in range(1, len(said)):
        pieces += [frame(PING, b"?"), frame(CONTINUATION, said[place : place + 1], final=False)]
    with closing(opened(server)) as line:
        line.say(b"".join([*pieces, frame(CONTINUATION, b"")]))
        heard = b""
        while b"ready" not in heard:
            piece = line.hear()
            assert piece, heard
            heard += piece
        assert heard.count(b"\x8a\x01?") == len(said) - 1


def test_noise_and_halves_of_frames_hurt_nobody(server: Server) -> None:
    whole = frame(BINARY, wire.encode(wire.SendHello("A" * 43)))
    for end in (1, 2, 5, 20, len(whole) - 1):
        with closing(opened(server)) as line:
            line.say(whole[:end])

    @runs(40)
    @given(st.binary(min_size=1, max_size=400), st.sampled_from([b"", handshake()]))
    def tried(noise: bytes, before: bytes) -> None:
        with closing(Line(server)) as line:
            if before:
                line.say(before)
                assert line.hear().startswith(b"HTTP/1.1 101")
            line.say(noise)

    tried()
