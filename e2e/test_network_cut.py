"""The network breaks at a point of a send: then each text is on both screens, once, in order, delivered.

Every second point in `make test`; all of them with EVERY_POINT=1 in the environment, and -s for the times.
"""

import os
import sys
import time
from collections.abc import Sequence

import pytest

from e2e.network import How, Moment, Network
from e2e.person import Person

EVERY_POINT = "EVERY_POINT" in os.environ
#: R4 says 5 s; a machine that runs other tests meanwhile may be late.
PATIENCE_SECONDS = 10.0 if EVERY_POINT else 25.0
DOWN_MS = 1_000
BREAKS: tuple[How, ...] = ("cut", "silent")
STEP = 1 if EVERY_POINT else 2
SENDING = [Moment("post"), Moment("post", after=True), Moment("stored"), Moment("stored", after=True)]
RECEIVING = [Moment("item"), Moment("item", after=True), Moment("taken"), Moment("taken", after=True)]


@pytest.mark.parametrize("how", BREAKS)
def test_what_is_sent_while_the_network_breaks_arrives_once_and_in_order(
    talking: tuple[Person, Person], how: How
) -> None:
    _, bob = talking
    said = _talk_while_it_breaks(bob, bob, how, SENDING[::STEP])
    for person in talking:
        person.sees(*said)


def test_what_is_sent_to_a_page_whose_network_is_cut_arrives_once_and_in_order(
    talking: tuple[Person, Person],
) -> None:
    alice, bob = talking
    said = _talk_while_it_breaks(alice, bob, "cut", RECEIVING[::STEP])
    for person in talking:
        person.sees(*said)


@pytest.mark.parametrize("sign", ["online", "visibilitychange"])
def test_a_page_whose_sockets_died_without_a_word_goes_on_when_it_is_looked_at(
    talking: tuple[Person, Person], sign: str
) -> None:
    """As after a phone's sleep, or a change of network."""
    alice, bob = talking
    network = _stands_before(bob)
    network.breaks("silent")
    alice.says("while you slept")
    bob.says("waits in this browser")
    network.is_back()
    began = time.monotonic()
    bob.wakes(sign)
    bob.hears("while you slept")
    took = max(time.monotonic() - began, _until_delivered(bob, ["waits in this browser"]))
    _is_soon(took, sign)
    alice.hears("waits in this browser")
    bob.sees("hello", "waits in this browser", "while you slept")


def test_a_page_whose_receive_socket_alone_died_without_a_word_finds_out_when_it_says_something(
    talking: tuple[Person, Person],
) -> None:
    alice, bob = talking
    network = _stands_before(bob)
    network.deafens()
    alice.says("you don’t hear this")
    alice.sees_stored("you don’t hear this")
    began = time.monotonic()
    bob.says("are you there?")
    bob.hears("you don’t hear this")
    _is_soon(time.monotonic() - began, "deaf, from the post on")
    alice.sees("hello", "you don’t hear this", "are you there?")


def _stands_before(person: Person) -> Network:
    network = Network(person)
    person.reload()
    person.enters()
    person.sees("hello")
    person.waits_for_connection()
    return network


def _talk_while_it_breaks(speaker: Person, broken: Person, how: How, moments: Sequence[Moment]) -> list[str]:
    """At each moment the network of one breaks, and the speaker says three texts; all that was said."""
    network = _stands_before(broken)
    said = ["hello"]
    for number, moment in enumerate(moments):
        network.breaks(how, moment)
        texts = [f"{number}.{part}" for part in range(3)]
        for text in texts:
            speaker.says(text)
        network.waits_until_down()
        broken.page.wait_for_timeout(DOWN_MS)
        network.is_back()
        said += texts
        _is_soon(_until_delivered(speaker, texts), f"{how} at {moment}")
    return said


def _until_delivered(person: Person, texts: list[str]) -> float:
    began = time.monotonic()
    for text in texts:
        person.sees_delivered(text)
    return time.monotonic() - began


def _is_soon(seconds: float, what: str) -> None:
    sys.stdout.write(f"{what}: {seconds:.1f} s until all was there\n")
    assert seconds < PATIENCE_SECONDS
