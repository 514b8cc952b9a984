"""`python -m reference.vectors` makes what lies in docs/vectors, but for keys and coins."""

import json
from pathlib import Path

import pytest

from reference.tests import vector_files
from reference.vectors import __main__ as vectors
from reference.vectors.shapes import Json

TELLING = {"name", "field", "verdict"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with files that were made anew."""
    directory = tmp_path_factory.mktemp("vectors")
    vectors.main(directory)
    return directory


@pytest.mark.parametrize("name", ["transcripts-reference.json", "refusals.json", "encodings.json"])
def test_the_files_that_lie_there_are_those_that_are_made(made: Path, name: str) -> None:
    assert _outline(json.loads((made / name).read_text())) == _outline(vector_files.load(name))


def _outline(value: Json, key: str = "") -> object:
    """A file without what keys and coins decide: of most texts only that they are there."""
    match value:
        case dict():
            return {name: _outline(item, name) for name, item in value.items()}
        case list():
            return [_outline(item) for item in value]
        case str() if key not in TELLING:
            return "…"
    return value
