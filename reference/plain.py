"""What others wrote, made safe for a terminal: no escape sequence, control or direction character passes."""

import unicodedata

#: Joiners that emoji, Persian and the scripts of India need.
ALLOWED = frozenset("\u200c\u200d")
#: Control, format, surrogate, private use, unassigned, and the two separators that break lines.
REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Marks on one letter: some languages stack three, nobody needs a column of them.
MARKS_MAX = 4
SHOWN_INSTEAD = "\ufffd"


def line(text: str) -> str:
    """The text in one line; what is refused is shown as a replacement character."""
    return _without_towers("".join(_safe(letter) for letter in text))


def lines(text: str, indent: str) -> str:
    """The text with its line breaks; all lines but the first are indented, so that none looks like ours."""
    rows = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return f"\n{indent}".join(line(row) for row in rows)


def _safe(letter: str) -> str:
    if letter in ALLOWED or unicodedata.category(letter) not in REFUSED:
        return letter
    return SHOWN_INSTEAD


def _without_towers(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter) in {"Mn", "Me"} else 0
        if marks <= MARKS_MAX:
            kept.append(letter)
    return "".join(kept)
