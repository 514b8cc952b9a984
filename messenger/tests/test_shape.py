"""The shape of the code: who imports whom, and that the documents name what there is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT: Path = settings.BASE_DIR
# Settings and limits carry the operator's numbers; urls, asgi and settings name what is put together.
WIRING = {"settings.py", "limits.py", "urls.py", "asgi.py"}
DOMAIN = re.compile(
    r"\b(ratchet|mailbox|envelope|handshake|seal_?half|ciphertext|chat|accounts|identit(y|ies))\b", re.I
)
OURS = ("accounts", "chat")


def sources(package: str) -> Iterator[Path]:
    """The package's modules, without tests and migrations."""
    for path in sorted((ROOT / package).rglob("*.py")):
        if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts):
            yield path


def imported(path: Path) -> Iterator[str]:
    """The top-level names of the packages that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def words_of_code(path: Path) -> str:
    """The names and texts of a module, without comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
    return ast.unparse(tree)


def _is_text(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


def test_accounts_never_imports_chat() -> None:
    guilty = [str(path) for path in sources("accounts") if "chat" in imported(path)]
    assert guilty == []


def test_the_wiring_imports_no_domain() -> None:
    guilty = [
        str(path)
        for path in sources("messenger")
        if path.name not in WIRING and set(imported(path)) & set(OURS)
    ]
    assert guilty == []


def test_the_wiring_has_no_word_of_the_domain() -> None:
    guilty = {
        str(path.relative_to(ROOT)): found[0]
        for path in sources("messenger")
        if path.name not in WIRING and (found := DOMAIN.search(words_of_code(path)))
    }
    assert guilty == {}


@pytest.mark.parametrize("package", OURS)
@pytest.mark.parametrize("leaf", ["errors", "models"])
def test_leaves_import_nothing_of_their_app_but_leaves(package: str, leaf: str) -> None:
    text = (ROOT / package / f"{leaf}.py").read_text(encoding="utf-8")
    assert not re.search(rf"^from {package}(\.(?!errors|models)| import)", text, re.M)


def example() -> dict[str, str]:
    """The settings of .env.example, commented out or not, with their values."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", text, re.M))


def test_every_setting_is_explained_in_the_example() -> None:
    assert settings.ENV.declared.keys() - example().keys() == set()


def test_the_example_names_no_setting_that_does_not_exist() -> None:
    known = settings.ENV.declared.keys()
    assert [name for name in example() if name.startswith("QUARTER_") and name not in known] == []


def test_the_defaults_of_the_example_are_the_real_ones() -> None:
    numbers = {name: each.default for name, each in settings.ENV.declared.items() if each.default.isdigit()}
    shown = example()
    assert {name: shown[name] for name in numbers} == numbers


def test_every_model_has_its_line_in_the_ledger_of_deletion() -> None:
    ledger = (ROOT / "docs" / "DELETION.md").read_text(encoding="utf-8")
    missing = [model._meta.label for model in apps.get_models() if f"`{model._meta.label}`" not in ledger]
    assert missing == []


def test_every_model_of_the_ledger_exists() -> None:
    ledger = (ROOT / "docs" / "DELETION.md").read_text(encoding="utf-8")
    labels = {model._meta.label for model in apps.get_models()}
    assert [label for label in re.findall(r"`((?:accounts|chat)\.\w+)`", ledger) if label not in labels] == []


def rows(document: str, heading: str) -> list[str]:
    """The first cells of the first table below a heading, the head left out, without what is in brackets."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8").partition(heading)[2]
    cells = re.findall(r"^\| *(.*?) *\|", text.partition("\n\n|")[2].partition("\n\n")[0], re.M)
    return [re.sub(r" \(.*?\)", "", cell) for cell in cells if cell and not cell.startswith("---")]


def test_every_attacker_of_the_protocol_has_its_line_among_the_threats() -> None:
    attackers = rows("PROTOCOL.md", "## 1. What it protects")
    assert len(attackers) == 9
    assert [row for row in rows("THREATS.md", "## What is protected") if row in attackers] == attackers


def test_every_test_that_the_threats_name_exists() -> None:
    named = re.findall(
        r"`([\w/.]+/[\w.]+\.(?:py|ts))`", (ROOT / "docs" / "THREATS.md").read_text(encoding="utf-8")
    )
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).is_file()] == []
