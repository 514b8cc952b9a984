"""The page's cryptography in a tab of its own (frontend/tests/chromium), for vectors to run through."""

from collections.abc import Sequence

from playwright.sync_api import Page

from e2e.bundle import FRONTEND
from reference.tests.published import Answer, Named, Vector, tally

CONFIG = FRONTEND / "tests/chromium/vite.config.ts"


class Suite:
    """The operations of frontend/tests/chromium/operations.ts, by where they stand there and their names."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def counts(self, where: str, name: str, vectors: Sequence[Vector], *refusals: str) -> tuple[int, int]:
        """Runs vectors; how many gave what they must, and how many were refused as they must."""
        return tally(vectors, self._answers(where, name, [vector.given for vector in vectors]), *refusals)

    def gives(self, where: str, name: str, cases: Sequence[Named]) -> list[Named]:
        """What comes of each case; none may be refused."""
        answers = self._answers(where, name, cases)
        assert [answer for answer in answers if isinstance(answer, str)] == []
        return [answer for answer in answers if not isinstance(answer, str)]

    def _answers(self, where: str, name: str, cases: Sequence[Named]) -> list[Answer]:
        sent = [{name: value.hex() for name, value in case.items()} for case in cases]
        return [
            answer["refused"]
            if "refused" in answer
            else {name: bytes.fromhex(value) for name, value in answer.items()}
            for answer in self.page.evaluate("(asked) => run(...asked)", [where, name, sent])
        ]
