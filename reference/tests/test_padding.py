"""Frames and their padding."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import padding
from reference.tests.refusal import refused


@given(st.integers(256, 2**40))
def test_padme_is_the_papers(length: int) -> None:
    padded = padding.padme(length)
    exponent = length.bit_length() - 1
    unit = 2 ** (exponent - math.floor(math.log2(exponent)) - 1)
    assert padded % unit == 0
    assert length <= padded < length + unit
    assert padding.padme(padded) == padded


@given(st.binary(max_size=5000))
def test_a_content_comes_back(content: bytes) -> None:
    frame = padding.frame(content)
    assert frame[:4] == len(content).to_bytes(4)
    assert len(frame) == padding.padme(max(256, 4 + len(content)))
    assert padding.unframe(frame) == content


@pytest.mark.parametrize(
    ("length", "size"), [(0, 256), (252, 256), (253, 272), (30716, 30720), (32764, 32768)]
)
def test_sizes_at_the_edges(length: int, size: int) -> None:
    assert len(padding.frame(bytes(length))) == size


def test_what_is_above_32_kib_does_not_fit() -> None:
    with refused("content"):
        padding.frame(bytes(32765))


@pytest.mark.parametrize("content", [b"", b"text", bytes(252), bytes(253), bytes(1000)], ids=len)
def test_any_other_padding_is_refused(content: bytes) -> None:
    frame = padding.frame(content)
    padded_with_one = frame[:-1] + b"\x01" if len(content) + 4 < len(frame) else frame[:-1]
    longer, shorter = frame + bytes(16), frame[:-16]
    lies = [length.to_bytes(4) + frame[4:] for length in (len(frame), 2**32 - 1, 32765, 272)]
    for bad in (padded_with_one, longer, shorter, frame + b"\0", frame[:-1], frame[:3], b"", *lies):
        with refused("content"):
            padding.unframe(bad)
