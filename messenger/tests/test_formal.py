"""The models of docs/formal: every query can be made, in every variant, and is explained."""

import re
import runpy

import pytest
from django.conf import settings

FORMAL = settings.BASE_DIR / "docs" / "formal"
PROVE = runpy.run_path(str(FORMAL / "prove.py"))
EXPLAINED = set(re.findall(r"`(\w+)`", (FORMAL / "README.md").read_text(encoding="utf-8")))
NAMED = set(re.findall(r"\b[A-Z]{3,}\w*\b", (FORMAL / "README.md").read_text(encoding="utf-8")))


def flags_of(model: str) -> set[str]:
    return set(re.findall(r"\(\*[+-](\w+)\*\)", (FORMAL / f"{model}.tpl").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("model", "query"), [(model, name) for model in PROVE["MODELS"] for name in PROVE["MODELS"][model]]
)
def test_every_query_is_made_whatever_flag_is_on(model: str, query: str) -> None:
    for flags in [set[str](), *({flag} for flag in flags_of(model)), flags_of(model)]:
        source = PROVE["render"](model, flags, PROVE["MODELS"][model][query])
        assert not re.search(r"\(\*[+-]\w+\*\)|\(\*QUERIES\*\)", source)
        assert PROVE["MODELS"][model][query] in source


@pytest.mark.parametrize("model", PROVE["MODELS"])
def test_every_query_and_flag_is_explained(model: str) -> None:
    assert set(PROVE["MODELS"][model]) <= EXPLAINED
    assert flags_of(model) <= NAMED
