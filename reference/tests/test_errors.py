"""The codes of refusals are those of the document."""

import re
from pathlib import Path
from typing import get_args

from reference.errors import Code, ProtocolError

PROTOCOL = Path(__file__).parents[2] / "docs" / "PROTOCOL.md"


def test_every_code_of_section_11_is_there_and_no_other() -> None:
    table = PROTOCOL.read_text(encoding="utf-8").partition("## 11. Refusals")[2]
    rows = re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
    assert {code for row in rows for code in re.findall("`(.*?)`", row)} == set(get_args(Code))


def test_a_refusal_says_its_code_and_nothing_else() -> None:
    error = ProtocolError("rsa")
    assert (error.code, str(error), error.args) == ("rsa", "rsa", ("rsa",))
