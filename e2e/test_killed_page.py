"""A page whose renderer is killed at any moment: then each text is on both screens, once, and delivered."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Error

from e2e.conftest import MakePerson
from e2e.person import Person
from e2e.stack import Stack

DIES = (Path(__file__).parent / "dies.js").read_text()
CRASH = json.dumps({"id": 1, "method": "Page.crash"})
NEVER = "never 0"
#: The first after a load only says that the vault is in use.
COMMITS = [f"commit {number}" for number in range(2, 7)]


class Reaper:
    """Kills the page of a person at moments that e2e/dies.js knows, and brings its tab back."""

    def __init__(self, browser: Browser, person: Person) -> None:
        self._person = person
        self._session = browser.new_browser_cdp_session()
        self._target = ""
        self._storage: dict[str, str] = {}
        self.kills = 0
        self.has_killed = False
        person.context.add_init_script(DIES)
        person.context.on("console", self._hear)

    def kills_at(self, moment: str, act: Callable[[], object]) -> None:
        """Lets somebody act, and returns when the person's page has died of it at that moment."""
        self._storage = json.loads(self._person.evaluate("JSON.stringify(sessionStorage)"))
        self._aim()
        self._person.evaluate(f"sessionStorage.dies = '{moment}'")
        with self._person.page.expect_event("crash"), suppress(Error):
            act()

    def brings_back(self, moment: str = NEVER) -> None:
        """Opens the tab again with its session storage, as a browser does; it may die at another moment."""
        dead, self._person.page = self._person.page, self._person.context.new_page()
        dead.close()
        storage = json.dumps(self._storage | {"dies": moment})
        self._person.page.add_init_script(f"Object.assign(sessionStorage, {storage})")
        self._aim()
        with suppress(Error):
            self._person.page.goto(self._person.url)

    def brings_back_again(self, moments: Iterable[str], goes_on: Callable[[], object]) -> None:
        """Brings it back, to die at each of these moments that comes before the person has gone on."""
        for moment in (*moments, NEVER):
            self.brings_back(moment)
            try:
                goes_on()
                self._person.evaluate(f"sessionStorage.dies = '{NEVER}'")
                return
            except (Error, AssertionError):
                if not self.has_killed:
                    raise

    def _aim(self) -> None:
        """At the page as it is now: a page that stands still could not be reached any more."""
        session = self._person.context.new_cdp_session(self._person.page)
        target = session.send("Target.getTargetInfo")["targetInfo"]["targetId"]
        session.detach()
        attached = self._session.send("Target.attachToTarget", {"targetId": target, "flatten": False})
        self._target = attached["sessionId"]
        self.has_killed = False

    def _hear(self, message: ConsoleMessage) -> None:
        if message.text == "this page dies":
            self.kills += 1
            self.has_killed = True
            self._session.send("Target.sendMessageToTarget", {"sessionId": self._target, "message": CRASH})


def test_a_guest_who_is_killed_again_and_again_on_the_way_in_is_let_in(
    browser: Browser, make_person: MakePerson, stack: Stack
) -> None:
    """At one commit after the other, and another guest at one frame after the other."""
    frames = [f"{what} {number}" for number in range(3, 7) for what in ("send", "message")]
    for first, moments in (("commit 1", COMMITS), ("send 1", frames)):
        alice, bob = make_person("Alice", stack).open(), make_person("Bob", stack)
        reaper = Reaper(browser, bob)
        bob.follows(alice.link())
        reaper.kills_at(first, bob.join_button.click)
        reaper.brings_back_again(moments, partial(_comes_in, bob))
        assert reaper.kills >= 3
        bob.says("I am here")
        alice.enters()
        for person in (alice, bob):
            person.sees("I am here")
        bob.sees_delivered("I am here")


def test_an_owner_who_is_killed_again_and_again_while_a_guest_joins_lets_him_in(
    browser: Browser, alice: Person, bob: Person
) -> None:
    reaper = Reaper(browser, alice)
    alice.reload()
    bob.follows(alice.link())
    reaper.kills_at("commit 1", partial(_joins_and_says, bob, "I am here"))
    reaper.brings_back_again(COMMITS, partial(_finds, alice, "I am here"))
    assert reaper.kills >= 3
    for person in (alice, bob):
        person.sees("I am here")
    bob.sees_delivered("I am here")


def test_a_sender_who_is_killed_keeps_what_was_sent_and_sends_it_once(
    browser: Browser, talking: tuple[Person, Person]
) -> None:
    """Three texts are written at once, the page dies on the way, and what is not there is written again."""
    alice, bob = talking
    reaper = Reaper(browser, bob)
    bob.reload()
    bob.enters()
    said = ["hello"]
    for moment in ("commit 1", "commit 2", "commit 4", "send 1", "send 2", "message 1", "message 2"):
        texts = [f"{number}, and dead at {moment}" for number in (1, 2, 3)]
        reaper.kills_at(moment, partial(_says_all, bob, texts))
        reaper.brings_back()
        bob.enters()
        bob.says(f"back after {moment}")
        alice.hears(f"back after {moment}")
        kept = [text for text in texts if bob.shows(text)]
        assert kept == texts[: len(kept)]
        for text in texts[len(kept) :]:
            bob.says(text)
        said += [*kept, f"back after {moment}", *texts[len(kept) :]]
    for person in talking:
        person.sees(*said)
    for text in said:
        bob.sees_delivered(text)


def test_a_receiver_who_is_killed_while_texts_arrive_misses_none(
    browser: Browser, talking: tuple[Person, Person]
) -> None:
    alice, bob = talking
    reaper = Reaper(browser, bob)
    bob.reload()
    bob.enters()
    said = ["hello"]
    for moment in ("message 1", "message 3", "commit 1", "commit 3", "send 1", "send 2"):
        texts = [f"{number}, and dead at {moment}" for number in (1, 2, 3)]
        said += texts
        reaper.kills_at(moment, partial(_says_all, alice, texts))
        reaper.brings_back_again(["message 4"], partial(_finds, bob, texts[-1]))
    assert reaper.kills >= 9
    for person in talking:
        person.sees(*said)
    for text in said[1:]:
        alice.sees_delivered(text)


def _comes_in(guest: Person) -> None:
    """Joins, where that is not done yet, and is let in."""
    guest.join_button.or_(guest.conversations.first).or_(guest.page.get_by_role("log")).first.wait_for()
    if guest.join_button.is_visible():
        guest.join_button.click()
    guest.enters()
    guest.is_let_in()


def _joins_and_says(guest: Person, text: str) -> None:
    guest.join_button.click()
    guest.says(text)


def _says_all(person: Person, texts: Iterable[str]) -> None:
    for text in texts:
        person.says(text)


def _finds(person: Person, text: str) -> None:
    """All that was said before this text is on the screen, too."""
    person.enters()
    person.hears(text)
