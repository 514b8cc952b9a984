"""R9: what people type is nowhere on the server's side."""

import base64
import secrets

from e2e import search
from e2e.conftest import MakePerson, MakeStack, meet


def test_a_typed_phrase_is_nowhere_on_the_server(make_stack: MakeStack, make_person: MakePerson) -> None:
    """Not in the database's tables, files and log, Valkey, what was printed, or any process's memory."""
    stack = make_stack({})
    alice, bob = make_person("Alice", stack).open(), make_person("Bob", stack)
    meet(alice, bob)
    canaries = [f"canary {secrets.token_hex(12)}" for _ in range(2)]
    alice.says(canaries[0])
    bob.sees("hello", canaries[0])
    bob.says(canaries[1])
    alice.sees("hello", *canaries)
    bob.reload()
    bob.enters()
    bob.sees("hello", *canaries)

    needles = [needle for canary in canaries for needle in _spellings(canary)]
    assert search.files_holding_any(needles, stack.files()) == []
    for needle in needles:
        assert search.tables_holding(needle, stack.database_path) == []
        assert search.keys_holding(needle, stack.valkey_path) == []
    assert search.processes_holding(needles, stack.processes()) == []


def test_the_search_finds_what_is_there(make_stack: MakeStack, make_person: MakePerson) -> None:
    """Else the test above would prove nothing: a session's id is in the database and the server's memory."""
    stack = make_stack({})
    alice, bob = make_person("Alice", stack).open(), make_person("Bob", stack)
    meet(alice, bob)
    [session] = search.dump(stack.database_path)["chat_session"]
    needle = str(session[0]).encode()
    assert search.files_holding_any([needle], stack.files()) != []
    assert search.tables_holding(needle, stack.database_path) != []
    found = search.processes_holding([needle], stack.processes())
    assert any("serve_daphne" in line for line in found)


def _spellings(text: str) -> list[bytes]:
    """As UTF-8, as UTF-16 (a JavaScript string), in hex, and in base64 without its unaligned ends."""
    plain = text.encode()
    shifted = [base64.b64encode(b"x" * pad + plain)[4:-4] for pad in range(3)]
    return [plain, text.encode("utf-16-le"), plain.hex().encode(), *shifted]
