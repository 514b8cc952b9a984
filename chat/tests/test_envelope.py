"""Envelopes are read by their public header, and anything else is refused."""

import hashlib
import struct

import pytest

from accounts import b64u
from chat import envelope, errors
from chat.tests import people

SESSION = "A" * 43


def offer(initiator: bytes = b"i" * 32, responder: bytes = b"r" * 32) -> bytes:
    return b"\x01\x01" + initiator + responder + b"n" * 384 + b"e" * 1216 + b"c" * 384 + b"v" * 31 + b"\x01"


def test_the_lengths_are_those_of_the_protocol() -> None:
    assert envelope.OFFER_BYTES == 2082
    assert envelope.ANSWER_BYTES == 2786
    assert envelope.HEADER_BYTES == 60
    assert envelope.STEP_HEADER_BYTES == 2780


def test_an_offer_gives_all_its_fields() -> None:
    body = offer()
    read = envelope.parse_offer(body)
    assert read.session == b64u.encode(hashlib.sha256(b"quarter/1 session" + body).digest())
    assert (read.initiator, read.responder) == (b64u.encode(b"i" * 32), b64u.encode(b"r" * 32))
    assert (read.modulus, read.ek, read.sealed) == (b"n" * 384, b"e" * 1216, b"c" * 384)
    assert read.invite == b"v" * 31 + b"\x01"
    assert read.invited


def test_an_offer_without_a_secret_is_no_invited_one() -> None:
    assert not envelope.parse_offer(offer()[:-32] + bytes(32)).invited


def test_an_offer_to_oneself_is_refused() -> None:
    with pytest.raises(errors.BadEnvelope):
        envelope.parse_offer(offer(b"i" * 32, b"i" * 32))


def test_an_answer_gives_all_its_fields() -> None:
    body = b"\x01\x02" + bytes(32) + b"c" * 384 + b"t" * 1120 + b"e" * 1216 + b"k" * 32
    read = envelope.parse_answer(body)
    assert read == envelope.Answer(SESSION, b"c" * 384, b"t" * 1120, b"e" * 1216, b"k" * 32)


@pytest.mark.parametrize("step", [False, True])
def test_a_message_gives_its_header(step: bool) -> None:
    body = people.make_message(SESSION, side=1, n=7, size=320, step=step, epoch=4)
    read = envelope.parse_message(body)
    assert read == envelope.Message(SESSION, 1, 4, 7, body[43:59], step, 320)


def test_a_volatile_frame_is_small() -> None:
    frame = people.make_volatile(SESSION, side=0)
    assert envelope.parse_volatile(frame + bytes(1024 - len(frame)))
    with pytest.raises(errors.BadEnvelope):
        envelope.parse_volatile(frame + bytes(1025 - len(frame)))


def test_a_volatile_frame_gives_its_header() -> None:
    read = envelope.parse_volatile(people.make_volatile(SESSION, side=0, counter=9))
    assert read == envelope.Volatile(SESSION, 0, 1, 1, 9)


GOOD = {
    "offer": (envelope.parse_offer, offer()),
    "answer": (envelope.parse_answer, people.make_answer(SESSION)),
    "message": (envelope.parse_message, people.make_message(SESSION, 0, 0)),
    "message with a step": (envelope.parse_message, people.make_message(SESSION, 0, 0, step=True)),
    "volatile": (envelope.parse_volatile, people.make_volatile(SESSION, 0)),
}


@pytest.mark.parametrize("name", GOOD)
def test_another_version_or_kind_is_refused(name: str) -> None:
    parse, body = GOOD[name]
    for place in (0, 1):
        for value in {0, 1, 2, 3, 4, 5, 255} - {body[place]}:
            with pytest.raises(errors.BadEnvelope):
                parse(body[:place] + bytes([value]) + body[place + 1 :])


@pytest.mark.parametrize("name", GOOD)
def test_another_length_is_refused(name: str) -> None:
    parse, body = GOOD[name]
    for length in (0, 1, 59, 60):
        with pytest.raises(errors.BadEnvelope):
            parse(body[:length])
    shorter = body[:-256] if name == "volatile" else body
    with pytest.raises(errors.BadEnvelope):
        parse(shorter[:-1])
    if name in ("offer", "answer"):
        with pytest.raises(errors.BadEnvelope):
            parse(body + b"\x00")


@pytest.mark.parametrize(("place", "value"), [(34, 2), (34, 255), (59, 2), (59, 255)])
def test_an_unknown_sender_or_step_is_refused(place: int, value: int) -> None:
    body = people.make_message(SESSION, 0, 0)
    with pytest.raises(errors.BadEnvelope):
        envelope.parse_message(body[:place] + bytes([value]) + body[place + 1 :])


def test_a_step_that_is_announced_must_be_there() -> None:
    body = people.make_message(SESSION, 0, 0)
    with pytest.raises(errors.BadEnvelope):
        envelope.parse_message(body[:59] + b"\x01" + body[60:])


def test_a_description_says_no_more_than_the_header() -> None:
    body = people.make_message(SESSION, 1, 3, size=512, step=True, epoch=2)
    assert envelope.describe("message", body) == {
        "version": 1,
        "kind": "message",
        "sender": 1,
        "epoch": 2,
        "n": 3,
        "step": True,
        "padded_bytes": 512,
    }
    assert envelope.describe("offer", offer()) == {"version": 1, "kind": "offer"}


def test_numbers_are_big_endian() -> None:
    body = people.make_message(SESSION, 0, 0x01020304)
    assert body[39:43] == struct.pack(">I", 0x01020304) == b"\x01\x02\x03\x04"
    assert envelope.parse_message(body).n == 0x01020304
