"""Nothing that is printed or written as a log names a person, an address, a session, or what was said.

Not even with every logger of every library at DEBUG (e2e/all_debug), which no setting of ours allows.
"""

import base64
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from e2e import search
from e2e.conftest import MakePerson, MakeStack, meet
from e2e.person import Person
from e2e.stack import Stack

ADDRESS = "203.0.113.7"
FORWARDED = {"X-Forwarded-For": ADDRESS}
PATHS = ("/ws/send", "/ws/receive", "/api/login", "X-Forwarded-For")
DEBUG = {
    "PYTHONPATH": str(Path(__file__).with_name("all_debug")),
    "QUARTER_LOG_LEVEL": "DEBUG",
    "QUARTER_PROXY_COUNT": "1",
}
#: A random network: nothing holds it by chance.
NETWORK = f"2001:db8:{secrets.token_hex(2)}:{0x1000 + secrets.randbelow(0xE000):x}"


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def noisy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with all loggers at DEBUG, which somebody from NETWORK has visited."""
    stack = Stack(tmp_path_factory.mktemp("noisy"), DEBUG, request.param)
    for _ in range(5):
        _visit(stack, f"{NETWORK}::7")
    yield stack
    stack.end()


def logs_in(person: Person) -> list[str]:
    """Opens the page; every text of what the two requests of its login said, and were answered."""
    with (
        person.page.expect_response("**/api/login/challenge") as asked,
        person.page.expect_response("**/api/login") as proved,
    ):
        person.open()
    said = [each.value for each in (asked, proved)]
    bodies = [text for each in said for text in (each.request.post_data or "{}", each.text())]
    return [text for body in bodies for text in _texts(json.loads(body)) if len(text) > 16]


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def go_astray(stack: Stack, words: Iterable[str]) -> None:
    """Requests that are refused, with words in every place that a log might quote."""
    for word in words:
        for path, data in ((f"/{word}?{word}", None), ("/api/login", word.encode()), ("/api/login", None)):
            for host in ("localhost", f"{word[:20]}.example"):
                headers = FORWARDED | {"Host": host, "User-Agent": word, "Cookie": f"sessionid={word}"}
                assert 400 <= _status(urllib.request.Request(stack.url + path, data, headers)) < 500


def _status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def _spellings(value: object) -> list[bytes]:
    """Its first bytes: as they are, in hex, in base64, and as Python writes them."""
    raw = value if isinstance(value, bytes) else str(value).encode()
    body = raw[:48]
    return [body, body.hex().encode(), base64.b64encode(body)[:60], repr(body)[2:-1].encode()]


def known(stack: Stack) -> list[object]:
    """All that the database's tables have as ids, hashes and bodies."""
    tables = search.dump(stack.database_path)
    rows = [row for name in tables for row in tables[name] if name.startswith(("accounts_", "chat_"))]
    return [cell for row in rows for cell in row if isinstance(cell, (str, bytes)) and len(cell) > 26]


def logged(stack: Stack, wanted: Iterable[object]) -> list[object]:
    """Which of these are, in any spelling, where a log could be: in all files but the database's."""
    files = [path for path in stack.files() if not path.name.startswith("quarter.sqlite3")]
    written = b"\n".join(path.read_bytes() for path in files)
    return [each for each in wanted if any(spelling in written for spelling in _spellings(each))]


def test_no_log_names_anybody_or_anything_with_all_loggers_at_debug(
    noisy: Stack, make_person: MakePerson
) -> None:
    alice, bob = (make_person(name, noisy, extra_http_headers=FORWARDED) for name in ("Alice", "Bob"))
    told = [text for person in (alice, bob) for text in logs_in(person)]
    codes = [person.code() for person in (alice, bob)]
    meet(alice, bob)
    phrase = f"canary {secrets.token_hex(12)}"
    alice.says(phrase)
    bob.sees("hello", phrase)
    bob.reload()
    bob.enters()
    bob.sees("hello", phrase)
    tokens = [
        person.page.evaluate("sessionStorage.getItem('quarter.token')").split()[1] for person in (alice, bob)
    ]
    held = known(noisy)
    go_astray(noisy, [*codes, phrase.replace(" ", "")])
    assert len(told) > 6
    assert len(held) > 10

    assert '"debug"' in noisy.log.lower() or "[debug" in noisy.log.lower(), "the loggers were at DEBUG"
    wanted = [*PATHS, ADDRESS, "127.0.0.1:", phrase, phrase.replace(" ", ""), *codes, *tokens, *told, *held]
    assert logged(noisy, wanted) == []


def test_the_search_finds_what_is_kept_out(make_stack: MakeStack) -> None:
    """Else the test above would prove nothing: here messenger/logs.py leaves the lines as they come."""
    stack = make_stack({**DEBUG, "UNFILTERED": "1"})
    word = secrets.token_hex(12)
    go_astray(stack, [word])
    assert logged(stack, [word]) == [word]


def test_an_address_is_in_no_file_table_or_key(noisy: Stack) -> None:
    """It is counted under a blinded name, and neither stored nor handed on."""
    needle = NETWORK.encode()
    assert search.files_holding_any([needle], noisy.files()) == []
    assert search.tables_holding(needle, noisy.database_path) == []
    assert search.keys_holding(needle, noisy.valkey_path) == []


def _visit(stack: Stack, address: str) -> None:
    """A login that fails, counted under the address."""
    headers = {"X-Forwarded-For": address, "Content-Type": "application/json", "Origin": stack.url}
    assert _status(urllib.request.Request(f"{stack.url}/api/login/challenge", b"{}", headers)) == 400
