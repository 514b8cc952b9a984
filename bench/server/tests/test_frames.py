"""Frames as websockets' own implementation reads and writes them."""

import random

from websockets.frames import Frame
from websockets.protocol import OPEN, SERVER, Protocol

from bench.server import frames

SEED = 5


def read_by_a_server(data: bytes) -> list[bytes]:
    """The payloads that a server finds in what a client sent."""
    server = Protocol(SERVER, state=OPEN)
    server.receive_data(data)
    return [bytes(event.data) for event in server.events_received() if isinstance(event, Frame)]


def written_by_a_server(*payloads: bytes) -> bytes:
    """What a server sends for these."""
    server = Protocol(SERVER, state=OPEN)
    for payload in payloads:
        server.send_binary(payload)
    return b"".join(server.data_to_send())


def test_a_server_reads_what_the_generator_masks() -> None:
    luck = random.Random(SEED)
    payloads = [luck.randbytes(size) for size in (0, 1, 125, 126, 1_200, 65_535)]
    assert read_by_a_server(b"".join(map(frames.masked, payloads))) == payloads


def test_a_number_is_written_into_each_of_its_places() -> None:
    payload = random.Random(SEED).randbytes(300)
    for places in ([0], [3, 90], [296, 1]):
        numbered = frames.Numbered(payload, places)
        for number in (0, 1, 70_000, 0xFFFFFFFF):
            [read] = read_by_a_server(numbered.of(number))
            expected = bytearray(payload)
            for place in places:
                expected[place : place + 4] = number.to_bytes(4, "big")
            assert read == bytes(expected)


def test_frames_are_skipped_by_their_length_wherever_the_network_cuts_them() -> None:
    luck = random.Random(SEED)
    payloads = [luck.randbytes(size) for size in (0, 5, 125, 126, 400, 65_536)]
    data = written_by_a_server(*payloads)
    for cut in [*range(20), *(luck.randrange(len(data)) for _ in range(200)), len(data)]:
        found, rest = skimmed(data[:cut])
        more, end = skimmed(rest + data[cut:])
        assert [*found, *more] == payloads, f"seed {SEED}, cut at {cut}"
        assert end == b""


def skimmed(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole payloads, and what is left."""
    *whole, (_, begin, end) = frames.skim(data)
    return [data[first:last] for _, first, last in whole], data[begin:end]
