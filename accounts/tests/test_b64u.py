"""One value has one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import b64u


@given(st.binary(max_size=400))
def test_what_was_encoded_decodes_to_itself(data: bytes) -> None:
    assert b64u.decode(b64u.encode(data), len(data)) == data


@given(st.text(alphabet="ABCDEwxyz0189-_", min_size=43, max_size=43))
def test_no_other_text_decodes_to_the_same_bytes(text: str) -> None:
    try:
        data = b64u.decode(text, 32)
    except ValueError:
        return
    assert b64u.encode(data) == text


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("AA==", 1),  # padding
        ("AB", 1),  # unused bits set
        ("A+", 1),  # the other alphabet
        ("A/", 1),
        ("A A", 2),
        ("AA\n", 1),
        ("ÄA", 1),
        ("AA", 2),
        ("AAA", 1),
        ("A", 1),
        ("", 1),
    ],
)
def test_other_spellings_are_refused(text: str, length: int) -> None:
    with pytest.raises(ValueError, match="base64url"):
        b64u.decode(text, length)
