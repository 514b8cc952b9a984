"""`python -m reference.vectors [directory]`: writes the files of this implementation, into docs/vectors."""

import json
import sys
from pathlib import Path

from reference.identity import Identity
from reference.vectors import dialogues, encodings, handshakes, shapes, transcripts
from reference.vectors.handshakes import Trio
from reference.vectors.shapes import Json

DIRECTORY = Path(__file__).parents[2] / "docs" / "vectors"


def main(directory: Path = DIRECTORY) -> None:
    """Make every file anew."""
    _write(directory / "transcripts-reference.json", transcripts.make())
    _write(directory / "refusals.json", _refusals())
    _write(directory / "encodings.json", encodings.make())


def _refusals() -> Json:
    trio = Trio(Identity.generate(), Identity.generate(), Identity.generate())
    return {
        "format": 1,
        "people": {"initiator": shapes.person(trio.guest), "responder": shapes.person(trio.owner)},
        "offers": handshakes.offers(trio),
        "answers": handshakes.answers(trio),
        "messages": dialogues.messages(trio),
        "sends": dialogues.sends(trio),
    }


def _write(path: Path, value: Json) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
