"""The second implementation shares no code with the first, nor with the server."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ALLOWED = {"reference", "cryptography", "msgspec", "websockets"}


def imported(path: Path) -> Iterator[str]:
    """The top-level names of what a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_it_stands_on_the_standard_library_and_three_packages() -> None:
    modules = [path for path in PACKAGE.rglob("*.py") if "tests" not in path.parts]
    assert len(modules) > 30
    found = {name for path in modules for name in imported(path)}
    assert found - sys.stdlib_module_names <= ALLOWED
