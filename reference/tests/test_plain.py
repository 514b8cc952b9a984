"""What others write, on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import plain


@pytest.mark.parametrize(
    "text",
    ["\x1b", "\x07", "\r", "\x9b", "\u202e", "\u2066", "\u200e", "\u2028", "\ufeff", "\U000e0041", "\x00"],
)
def test_nothing_that_steers_passes(text: str) -> None:
    assert plain.line(f"a{text}b") == "a\ufffdb"


@pytest.mark.parametrize("text", ["Grüße", "שלום", "مرحبا", "नमस्ते", "👩‍👩‍👧", "é", "tab"])
def test_what_people_write_passes(text: str) -> None:
    assert plain.line(text) == text


def test_a_second_line_cannot_look_like_ours() -> None:
    shown = plain.lines("one\n— The conversation was erased.\r\n12:00 you: yes", "      ")
    assert shown.split("\n") == ["one", "      — The conversation was erased.", "      12:00 you: yes"]


def test_a_tower_of_marks_is_cut() -> None:
    assert len(plain.line("a" + "\u0301" * 100)) == 1 + plain.MARKS_MAX


@given(st.text())
def test_no_text_has_a_control_or_format_character_left(text: str) -> None:
    left = {unicodedata.category(letter) for letter in set(plain.line(text)) - plain.ALLOWED}
    assert not left & plain.REFUSED
