"""MessagePack in its one form."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import packing
from reference.errors import ProtocolError
from reference.tests.refusal import refused

KEYS = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(max_size=40).filter(lambda text: not text.startswith("\ufeff"))
    | st.binary(max_size=40)
)
SHALLOW = st.lists(SCALARS, max_size=3) | st.dictionaries(KEYS, SCALARS, max_size=3)
MAPS = st.dictionaries(KEYS, SCALARS | SHALLOW | st.lists(SHALLOW, max_size=3), max_size=20)


@given(MAPS)
def test_a_map_comes_back(members: dict[str, object]) -> None:
    again = packing.unpack(packing.pack(members))
    assert again == members
    assert list(again) == list(members)


@given(
    st.binary(max_size=60)
    | MAPS.map(msgspec.msgpack.encode).flatmap(lambda b: st.binary(max_size=3).map(b.__add__))
)
def test_bytes_are_refused_or_are_the_only_ones_of_their_map(packed: bytes) -> None:
    try:
        members = packing.unpack(packed)
    except ProtocolError:
        return
    assert packing.pack(members) == packed


@pytest.mark.parametrize(
    ("packed", "what"),
    [
        ("", "nothing"),
        ("c0", "nil"),
        ("90", "a list"),
        ("8000", "a byte behind"),
        ("81a161", "a member cut off"),
        ("de0000", "a long map"),
        ("81d9016100", "a long key"),
        ("81a161cc05", "a long number"),
        ("81a161cd0005", "a longer number"),
        ("81a161ce00000005", "an even longer number"),
        ("81a161cf0000000000000005", "the longest number"),
        ("81a161d005", "a signed number that needs no sign"),
        ("81a161d1ff80", "a long negative number"),
        ("81a161d3ffffffffffffffff", "the longest negative number"),
        ("81a161d90162", "a long text"),
        ("81a161da000162", "a longer text"),
        ("81a161db0000000162", "the longest text"),
        ("81a161c5000162", "a long bin"),
        ("81a161c60000000162", "the longest bin"),
        ("81a161dc000100", "a long list"),
        ("81a161dd0000000100", "the longest list"),
        ("82a16100a16100", "a key twice"),
        ("82a16100a16101", "a key twice, with another value"),
        ("81a161cb3ff0000000000000", "a float"),
        ("81a161ca3f800000", "a short float"),
        ("81a161d60100000000", "an extension"),
        ("81a161d6ff00000000", "a timestamp"),
        ("81a161c70cff000000007fffffffffffffff", "a timestamp beyond all years"),
        ("81a161c1", "the byte that is never used"),
        ("81a161a1ff", "text that is no UTF-8"),
        ("81a161a3eda080", "half of a surrogate pair"),
        ("81a161a2c080", "an overlong zero"),
        ("81a161a4f4908080", "a character beyond Unicode"),
        ("81a161a3efbbbf", "U+FEFF"),
        ("81a161a4efbbbf61", "a text that begins with U+FEFF"),
        ("81a161cf0020000000000000", "2^53"),
        ("81a161d3ffe0000000000000", "-2^53"),
        ("81a161cfffffffffffffffff", "2^64 - 1"),
        ("81a000", "an empty key"),
        ("81a15f00", "a key that begins with _"),
        ("81a14100", "a key of a capital letter"),
        ("81a2613100", "a key with a digit"),
        ("81a3c3a46100", "a key with a letter of another alphabet"),
        ("810100", "a number as key"),
        ("81c4016100", "a bin as key"),
        ("81c000", "nil as key"),
        ("819000", "a list as key"),
        ("81a16181a14100", "a bad key further in"),
        ("81a16191a3efbbbf", "U+FEFF further in"),
        ("81a16191919190", "five deep"),
        ("81a16181a16181a16181a16180", "five maps deep"),
        ("81a161ddffffffff", "a list that is not there"),
        ("81a161" + "91" * 5000 + "c0", "very deep"),
    ],
    ids=lambda value: value if " " in value else "",
)
def test_other_forms_are_refused(packed: str, what: str) -> None:
    with refused("content"):
        packing.unpack(bytes.fromhex(packed))


@pytest.mark.parametrize(
    "packed",
    ["80", "81a161cf001fffffffffffff", "81a161d3ffe0000000000001", "81a161919190", "81a161a461efbbbf"],
)
def test_the_farthest_that_is_allowed(packed: str) -> None:
    assert packing.pack(packing.unpack(bytes.fromhex(packed))) == bytes.fromhex(packed)


@pytest.mark.parametrize(
    "value", ["\ud800", "\udc00\ud800", "\ufeff", 2**53, 1.0, object(), {"A": 1}, {1: 1}, (1,)]
)
def test_what_the_form_can_not_hold_is_not_written(value: object) -> None:
    with refused("content"):
        packing.pack({"a": value})
