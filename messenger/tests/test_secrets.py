"""What the server does with secrets, by its source: how they are drawn, and how they are compared."""

import ast
import re
from pathlib import Path

from django.conf import settings

from accounts import login, tokens
from chat.models import HALF_BYTES

ROOT: Path = settings.BASE_DIR
PACKAGES = ("accounts", "chat", "messenger")

#: The server's modules, without tests and migrations.
NODES = [
    node
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
]

#: Names that secrets have here, and bytes that may be one.
SECRETIVE = re.compile(
    r"secret|token|proof|hal(f|ves)|digest|seal|mac\b|password|hash|key|modulus|body|stored|answer|text\b"
)

#: Why each of these may stop at the first byte that differs.
PUBLIC = {
    "encode(data) != text": "base64url and the one spelling of its own bytes: no guess is compared",
    "keys[me] != fields.modulus": "public keys",
    "stored.get((post.session, post.side, post.n)) != post.body": "ciphertext, and its sender's own",
    "envelope.parse_answer(body).session != session": "the session's id",
    "bytes(stored) != body": "ciphertext, and its sender's own",
    "fields.responder not in keys": "user hashes",
    "needed not in keys": "user hashes",
    "word not in keys": "words of a command",
}


def test_chance_comes_from_the_module_secrets_alone() -> None:
    imported = {
        name.partition(".")[0]
        for node in NODES
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert "secrets" in imported
    assert imported & {"random", "uuid", "numpy"} == set()
    asked = {node.attr for node in NODES if isinstance(node, ast.Attribute)}
    assert asked & {"urandom", "getrandom", "randbytes", "get_random_string", "uuid4"} == set()


def test_what_is_drawn_is_long_enough() -> None:
    """32 bytes where a secret must not be guessed; 16 or 8 where two must not be the same by chance."""
    drawn = {
        ast.unparse(node)
        for node in NODES
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("secrets.")
    }
    assert drawn == {
        "secrets.token_bytes(SECRET_BYTES)",
        "secrets.token_bytes(ID_BYTES)",
        "secrets.token_bytes(TOKEN_BYTES)",
        "secrets.token_bytes(HALF_BYTES)",
        "secrets.token_bytes(32)",
        "secrets.token_urlsafe(64)",
        "secrets.token_hex(8)",
    }
    lengths = (login.SECRET_BYTES, tokens.TOKEN_BYTES, HALF_BYTES, login.ID_BYTES)
    assert lengths == (32, 32, 32, 16)


def test_no_secret_is_compared_by_an_operator() -> None:
    """A new comparison is a failing test until somebody has written down why it may be made so."""
    compared = {
        ast.unparse(node)
        for node in NODES
        if isinstance(node, ast.Compare)
        and any(isinstance(each, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) for each in node.ops)
        and not any(_is_constant(side) for side in (node.left, *node.comparators))
        and SECRETIVE.search(ast.unparse(node))
    }
    assert compared == set(PUBLIC)


def test_a_proof_is_compared_in_constant_time_and_a_token_found_by_its_digest() -> None:
    calls = {ast.unparse(node) for node in NODES if isinstance(node, ast.Call)}
    assert [call for call in calls if "compare_digest" in call] == [
        "hmac.compare_digest(bytes(asked.proof_digest), _digest(proof, origin))"
    ]
    questions = [
        node.value
        for node in NODES
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and "FROM accounts_token" in node.value
    ]
    assert questions == ["SELECT identity_id FROM accounts_token WHERE digest = %s"]


def _is_constant(side: ast.expr) -> bool:
    """A literal, a NAME_LIKE_THIS, or a length."""
    text = ast.unparse(side)
    if re.fullmatch(r"([a-z_]+\.)*[A-Z][A-Z_0-9.]*|len\(.*\)", text):
        return True
    try:
        ast.literal_eval(side)
    except ValueError:
        return False
    return True
