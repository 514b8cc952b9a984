"""The bytes of a message."""

import pytest

from reference import message
from reference.message import Header, Step
from reference.tests.refusal import refused

STEP = Step(b"\x01" * 1120, b"\x02" * 1216, b"\x03" * 384)


def header(step: Step | None) -> Header:
    """A header with another value in each field."""
    return Header(bytes(range(32)), 1, 0x01020304, 0xF1F2F3F4, b"\x05" * 16, step)


@pytest.mark.parametrize(("step", "length"), [(None, 60), (STEP, 2780)], ids=["plain", "with a step"])
@pytest.mark.parametrize("body", [256 + 16, 32768 + 16])
def test_a_message_is_taken_apart_as_it_was_made(step: Step | None, length: int, body: int) -> None:
    encoded = header(step).encode()
    assert len(encoded) == length
    parsed = message.parse(encoded + bytes(body))
    assert parsed == message.Message(header(step), bytes(body))


def test_fields_stand_where_section_6_puts_them() -> None:
    encoded = header(STEP).encode()
    assert encoded[:2] == b"\x01\x03"
    assert encoded[2:34] == bytes(range(32))
    assert encoded[34:43] == bytes.fromhex("01 01020304 f1f2f3f4")
    assert encoded[43:60] == b"\x05" * 16 + b"\x01"
    assert encoded[60:] == STEP.ct + STEP.ek + STEP.c


@pytest.mark.parametrize("step", [None, STEP], ids=["plain", "with a step"])
@pytest.mark.parametrize("body", [-1, 0, 16, 255 + 16, 32769 + 16, 100_000])
def test_another_length_is_refused(step: Step | None, body: int) -> None:
    encoded = header(step).encode()
    data = encoded + bytes(body) if body >= 0 else encoded[:body]
    with refused("length"):
        message.parse(data)


@pytest.mark.parametrize("length", range(0, 60, 7))
def test_a_header_cut_off_is_refused(length: int) -> None:
    with refused("length"):
        message.parse(header(None).encode()[:length])


@pytest.mark.parametrize(
    ("at", "byte", "code"),
    [
        (0, 0, "version"),
        (0, 2, "version"),
        (1, 2, "kind"),
        (1, 4, "kind"),
        (34, 2, "kind"),
        (34, 255, "kind"),
        (59, 2, "kind"),
    ],
)
def test_another_version_kind_sender_or_step_is_refused(at: int, byte: int, code: str) -> None:
    data = bytearray(header(None).encode() + bytes(272))
    data[at] = byte
    with refused(code):
        message.parse(bytes(data))
