"""What the generator says and looks at, held against the server's own wire."""

import pytest

from bench.server import quarter
from bench.server.tests.test_frames import read_by_a_server
from chat import envelope, wire

SESSION = envelope.b64u(bytes(range(32)))
NUMBERS = (1, 127, 128, 255, 256, 65_535, 65_536, 0xFFFFFFFF)


@pytest.mark.parametrize("n", NUMBERS)
def test_a_post_is_one_of_the_wire_with_its_n_in_frame_and_header(n: int) -> None:
    [payload] = read_by_a_server(quarter.post_of(SESSION, side=1).of(n))
    frame = wire.decode_send(payload)
    assert isinstance(frame, wire.Post)
    header = envelope.parse_message(frame.body)
    assert (frame.session, frame.n) == (header.session, header.n) == (SESSION, n)
    assert (header.sender, header.padded_bytes) == (1, quarter.MESSAGE_BYTES)


@pytest.mark.parametrize("seq", NUMBERS)
def test_what_was_taken_is_said_as_the_wire_has_it(seq: int) -> None:
    taken = quarter.numbered(b"seq", {"t": "taken", "session": SESSION})
    [payload] = read_by_a_server(taken.of(seq))
    assert wire.decode_receive(payload) == wire.Taken(SESSION, seq)


@pytest.mark.parametrize("number", NUMBERS)
def test_what_the_server_says_is_heard(number: int) -> None:
    item = wire.Item(SESSION, number, "message", 1, b"body")
    assert quarter.hear(wire.encode(item)) == quarter.Heard("item", seq=number)
    assert quarter.hear(wire.encode(wire.Stored(SESSION, number))) == quarter.Heard("stored", n=number)
    assert quarter.hear(wire.encode(wire.CaughtUp())) == quarter.Heard("caught_up")
    items = quarter.hear(wire.encode(wire.Items([item, item])))
    assert [each.seq for each in items.items] == [number, number]
