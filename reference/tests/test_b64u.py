"""base64url: one value has one text."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import b64u
from reference.errors import ProtocolError
from reference.tests.refusal import refused

ALPHABET = string.ascii_letters + string.digits + "-_"


@given(st.binary(max_size=100))
def test_bytes_come_back(data: bytes) -> None:
    text = b64u.encode(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert b64u.decode(text) == b64u.decode(text, len(data)) == data


@given(st.text(alphabet=ALPHABET, max_size=8))
def test_a_text_is_refused_or_is_the_only_one_of_its_bytes(text: str) -> None:
    try:
        data = b64u.decode(text)
    except ProtocolError:
        return
    assert b64u.encode(data) == text


@pytest.mark.parametrize(
    "text",
    [
        "AA==",
        "AA=",
        "=",
        "A",
        "AAAAA",
        "AB",
        "AAB",
        "A A",
        "AA\n",
        " AA",
        "+A",
        "/A",
        "A.A",
        "ÄÄ",
        "٣٣",
        "АА",
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    with refused("base64url"):
        b64u.decode(text)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_another_length_is_refused(length: int) -> None:
    with refused("base64url"):
        b64u.decode(b64u.encode(bytes(32)), length)
