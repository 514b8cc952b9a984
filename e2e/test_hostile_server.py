"""A server that means ill, seen in a browser: the sentences that people read, and what is not shown.

frontend/tests/engine/hostileServer.test.ts has the whole list of attacks; these are the telling ones.
"""

from collections.abc import Callable

import pytest

from e2e.conftest import MakePerson, meet
from e2e.meddling import Meddler, flipped
from e2e.network import Frame
from e2e.person import Person
from e2e.stack import Stack

MISSING = "A message is missing and could not be fetched."
NOT_SEALED = "A message arrived that your peer’s key did not seal. It was not shown."
BROKE_OFF = "This conversation broke off."
#: At most so much time passes in the page, in steps of it, in each of which an answer can come.
MOST_SECONDS, STEP_SECONDS, STEP_MS = 120.0, 0.5, 50


@pytest.fixture
def meddler(bob: Person) -> Meddler:
    """Between Bob and the server."""
    return Meddler(bob)


def test_a_swapped_key_is_refused_and_nothing_is_sent(alice: Person, bob: Person, meddler: Meddler) -> None:
    meddler.alters("key", lambda frame: [flipped(frame, "modulus", 200)])
    bob.joins(alice.link())
    bob.reads_text(
        "The server gave a key that does not fit this code, so nothing was sent. "
        "Ask for a new link, and be wary."
    )
    assert meddler.items == []


def test_an_offer_with_a_swapped_key_gets_no_answer(alice: Person, bob: Person) -> None:
    meddler = Meddler(alice)
    alice.reload()
    alice.waits_for_home()
    meddler.alters("offer", lambda frame: [flipped(frame, "body", 200)])
    bob.page.clock.install()
    bob.joins(alice.link())
    bob.says("are you there?")
    bob.reads_text("The other side has not answered yet.")
    alice.reads_notice("an old link, or with one that was changed on its way. They were not let in.")
    _time_passes(bob, "something on the way keeps what you send from them")
    bob.reads_text("something on the way keeps what you send from them")
    bob.sees_waiting("are you there?")
    assert [item["kind"] for item in meddler.items] == ["offer"]
    assert alice.conversations.count() == 0


def test_a_false_half_of_the_seal_is_refused_and_the_guest_reads_what_happened(
    alice: Person, bob: Person, meddler: Meddler
) -> None:
    link = alice.link()
    meddler.alters("seal", lambda frame: [{**frame, "session": alice.code()}])
    bob.joins(link)
    bob.reads_notice("The server answered something else than was asked, so nothing was sent.")
    assert alice.conversations.count() == 0


def test_an_answer_with_a_swapped_key_is_refused(alice: Person, bob: Person, meddler: Meddler) -> None:
    meddler.alters("answer", lambda frame: [flipped(frame, "body", 1600)])
    bob.joins(alice.link())
    bob.reads(BROKE_OFF)
    bob.reads_text("The answer did not come from the person this link belongs to. Nothing was sent.")
    assert alice.conversations.count() == 0


def test_a_replay_shows_nothing_twice_and_a_false_end_is_the_servers_word(
    alice: Person, bob: Person, meddler: Meddler
) -> None:
    meet(alice, bob)
    meddler.alters("message", lambda frame: [frame, frame, {**frame, "seq": frame["seq"] + 1}])
    alice.says("once")
    bob.hears("once")
    for item in list(meddler.items):
        meddler.tells({**item, "seq": item["seq"] + 100})
    alice.says("and no more")
    bob.sees("hello", "once", "and no more")
    meddler.tells({"t": "ended", "session": meddler.items[-1]["session"], "why": "left"})
    bob.reads("Ended, says the server.")
    bob.reads_text("The other side gave no sign of it, so there is no proof why.")


@pytest.mark.parametrize(
    ("attack", "sentence"),
    [
        pytest.param(lambda _: [], MISSING, id="dropped"),
        pytest.param(lambda frame: [flipped(frame, "body", 0)], NOT_SEALED, id="one byte changed"),
    ],
)
def test_a_message_that_is_kept_from_the_reader_breaks_the_conversation(
    alice: Person, bob: Person, meddler: Meddler, attack: Callable[[Frame], list[Frame]], sentence: str
) -> None:
    bob.page.clock.install()
    meet(alice, bob)
    kept_back: list[int] = []

    def keep_one_back(frame: Frame) -> list[Frame]:
        kept_back.append(frame["seq"])
        return attack(frame) if frame["seq"] == kept_back[0] else [frame]

    meddler.alters("message", keep_one_back)
    alice.says("first")
    alice.says("second")
    _time_passes(bob, BROKE_OFF)
    bob.reads(BROKE_OFF)
    bob.reads_text(sentence)
    assert not bob.shows("second")


def test_a_message_of_another_conversation_is_not_shown(
    make_person: MakePerson, stack: Stack, alice: Person, bob: Person, meddler: Meddler
) -> None:
    carol = make_person("Carol", stack)
    others = Meddler(carol)
    meet(alice, carol)
    alice.goes_home()
    bob.page.clock.install()
    meet(alice, bob)
    meddler.alters("message", lambda frame: [{**frame, "body": others.items[-1]["body"]}])
    alice.says("for Bob")
    _time_passes(bob, BROKE_OFF)
    bob.reads(BROKE_OFF)
    bob.reads_text(NOT_SEALED)


def _time_passes(person: Person, until: str) -> None:
    """In the page alone, until this stands there."""
    for _ in range(int(MOST_SECONDS / STEP_SECONDS)):
        if until in person.text():
            return
        person.page.clock.run_for(int(STEP_SECONDS * 1000))
        person.page.wait_for_timeout(STEP_MS)
