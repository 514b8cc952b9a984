"""Secrets are where PROTOCOL §3 and §9 put them, and nowhere else in the page: not in Vue's reactive state,
not in components, the document, the window, the tab's history, or the console.

`watcher.js` remembers every byte string that WebCrypto or the generator had to do with, and looks for each of
them, and each part of 16 bytes, in all that can be reached from there.
"""

import base64
import json
from collections.abc import Set
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage

from e2e.conftest import MakePerson
from e2e.person import Person
from e2e.stack import Stack

WATCHER = Path(__file__).with_name("watcher.js")


class Watched:
    """A person whose page is watched, over its reloads."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.console: list[str] = []
        self._seen_before: list[str] = []
        person.context.add_init_script(path=WATCHER)
        person.context.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        self.console.append(message.text)

    def ask(self, expression: str) -> Any:
        """Evaluates in the page's own world, where Vue's objects are: no policy of it stops a debugger."""
        session = self.person.context.new_cdp_session(self.person.page)
        answer = session.send("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        session.detach()
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def reload(self) -> None:
        self._seen_before += self.ask("watcher.secrets()")
        self.person.reload()

    def found(self) -> set[tuple[str, str]]:
        """(place, secret) of each secret that is somewhere: a piece of 16 bytes, in hex."""
        self.ask("watcher.keep(sessionStorage.getItem('quarter.token').split(' ')[1])")
        self._collect_garbage()
        more, extra = json.dumps(self._seen_before), json.dumps({"console": self.console})
        return {(path.split(".")[0], piece) for path, piece in self.ask(f"watcher.search({more}, {extra})")}

    def _collect_garbage(self) -> None:
        """So that only what Vue still holds is found."""
        session = self.person.context.new_cdp_session(self.person.page)
        session.send("HeapProfiler.collectGarbage")
        session.detach()

    def expects_secrets_in_their_places(self, and_in: Set[str] = frozenset()) -> set[str]:
        """The local half and the token are in the tab's storage, the secret of a link is with the link that
        is shown. Answers the others, which may be in such places alone."""
        tab, links, found = self._tab_secrets(), self._link_secrets(), self.found()
        assert {place for place, secret in found if secret in tab} == {"sessionStorage"}
        assert {secret for place, secret in found if place == "sessionStorage"} == tab
        with_links = {place for place, secret in found if secret in links}
        assert with_links <= {"refs", "reactive", "app", "elements"}
        others = {(place, secret) for place, secret in found if secret not in tab | links}
        assert {place for place, _ in others} <= and_in
        assert self.ask("watcher.keysInVue()") == []
        assert min(self.ask("watcher.counts()").values()) > 20
        return {secret for _, secret in others}

    def _tab_secrets(self) -> set[str]:
        """What the tab's storage is there to hold: the vault's name, the local half, the token."""
        vault = self.ask("sessionStorage.getItem('quarter')").split(".")
        token = self.ask("sessionStorage.getItem('quarter.token')").split(" ")[1]
        return {piece for text in (*vault, token) for piece in _pieces(_bytes_of(text))}

    def _link_secrets(self) -> set[str]:
        """Of the links that the page offers to be copied."""
        pinia = "document.querySelector('#app').__vue_app__.config.globalProperties.$pinia"
        urls = self.ask(f"{pinia}._s.get('links').links.map(({{ url }}) => url)")
        return {_bytes_of(url[-22:]).hex() for url in urls}


def _bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _pieces(data: bytes) -> list[str]:
    return [data[at : at + 16].hex() for at in range(0, len(data) - 15, 16)]


@pytest.fixture
def two(make_person: MakePerson, stack: Stack) -> tuple[Watched, Watched]:
    """Alice, at home, and Bob, who has opened nothing yet; both are watched."""
    alice, bob = (Watched(make_person(name, stack)) for name in ("Alice", "Bob"))
    alice.person.open()
    return alice, bob


#: What is said in the first part of the story.
WORDS = ["hello", *(f"the words number {n}" for n in range(1, 5))]


def meet_and_talk(alice: Watched, bob: Watched) -> None:
    """They meet by a link, take turns, and type."""
    bob.person.joins(alice.person.link())
    bob.person.says(WORDS[0])
    alice.person.enters()
    alice.person.sees(WORDS[0])
    for n, words in enumerate(WORDS[1:], 1):
        writer, reader = (alice, bob) if n % 2 else (bob, alice)
        writer.person.says(words)
        reader.person.sees(*WORDS[: n + 1])
    bob.person.types("not sent")


def talk_on(alice: Watched, bob: Watched) -> None:
    """They compare safety numbers, and both say something more."""
    assert alice.person.compares() == bob.person.compares()
    for one in (alice, bob):
        one.person.closes_dialog()
    alice.person.says("more words")
    bob.person.sees(*WORDS, "more words")
    bob.person.says("and more")
    alice.person.sees(*WORDS, "more words", "and more")


def test_no_secret_is_in_vue_or_anywhere_else_in_the_page(two: tuple[Watched, Watched]) -> None:
    """But what the tab's storage is there for, and the links that the page shows to be copied.

    The browser's own timeline has the address that was opened until the page is loaded again, secret
    included; no page can take it out (docs/THREATS.md).
    """
    alice, bob = two
    meet_and_talk(alice, bob)
    alice.expects_secrets_in_their_places()
    assert len(bob.expects_secrets_in_their_places(and_in={"performance"})) == 1
    for one in two:
        one.reload()
        one.person.enters()
        one.person.sees(*WORDS)
    talk_on(alice, bob)
    for one in two:
        one.expects_secrets_in_their_places()


def test_spent_secrets_are_wiped_in_the_browser_too(two: tuple[Watched, Watched]) -> None:
    """What passed through WebCrypto or the generator is zero afterwards, but for what is public (ids of 9
    bytes, nonces of 12, salts of 16, the MACs that were sent) or lives on (secrets of links)."""
    meet_and_talk(*two)
    for one, has_links in zip(two, (True, False), strict=True):
        assert one.ask("watcher.counts()")["passed"] > 100
        remains = [(how, len(data) // 2) for how, data in one.ask("watcher.remains()")]
        drawn = {size for how, size in remains if how == "drawn"}
        assert drawn <= {4, 9, 12, 16}
        # A login's proof, and the invite or confirm_R.
        assert remains.count(("signed", 32)) == 2
        assert {how for how, _ in remains} - {"drawn", "signed"} == ({"imported raw"} if has_links else set())
        assert {size for how, size in remains if how == "imported raw"} <= {16}


PLANTED = {
    "refs": "store('page').hash = url(watcher.secret(0))",
    "reactive": "store('conversations').drafts.set('any', hex(watcher.secret(1)))",
    "app": "app._context.provides.any = { deep: [...watcher.secret(2)] }",
    "elements": "document.body.any = new Map([['key', new Set([hex(watcher.secret(3))])]])",
    "document": "document.body.dataset.any = hex(watcher.secret(4)).toUpperCase()",
    "globals": "window.any = { get it() { return String.fromCharCode(...watcher.secret(5)) } }",
    "history": "history.replaceState({ depth: 0, any: watcher.secret(6).buffer }, '')",
    "address": "window.name = btoa('x' + String.fromCharCode(...watcher.secret(7)))",
    "localStorage": "localStorage.any = btoa('xx' + String.fromCharCode(...watcher.secret(8)))",
    "console": "console.log(`see ${url(watcher.secret(9))}`)",
}


def test_the_search_finds_a_secret_wherever_it_is(two: tuple[Watched, Watched]) -> None:
    """Else the test above would prove nothing."""
    alice, _ = two
    tools = """
        const app = document.querySelector('#app').__vue_app__
        const store = (name) => app.config.globalProperties.$pinia._s.get(name)
        const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
        const url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/=+$/, '')
          .replaceAll('+', '-').replaceAll('/', '_')"""
    alice.expects_secrets_in_their_places()
    planted = {
        (place, alice.ask(f"(() => {{ {tools}\n{plant} \nreturn hex(watcher.secret({n})) }})()"))
        for n, (place, plant) in enumerate(PLANTED.items())
    }
    assert planted <= alice.found()


def test_the_search_finds_bytes_and_keys_in_vue(two: tuple[Watched, Watched]) -> None:
    alice, _ = two
    assert alice.ask("watcher.keysInVue()") == []
    for kind, value in [
        ("bytes", "new Uint8Array(32)"),
        ("bytes", "{ deep: [new ArrayBuffer(8)] }"),
        ("CryptoKey", "new Map([['any', Object.create(CryptoKey.prototype)]])"),
    ]:
        alice.ask(f"watcher.firstRef()._value = {value}; 0")
        assert alice.ask("watcher.keysInVue()")[0].startswith(f"{kind} at vue.refs")
