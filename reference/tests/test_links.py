"""What becomes of an offer under a link."""

import msgspec
import pytest

from reference import handshake, links
from reference.clock import DAY_SECONDS, Moment
from reference.handshake import Offer
from reference.identity import Identity
from reference.tests import people

NOW = Moment(1_000_000.0, 5.0)


def offer(secret: bytes, guest: Identity | None = None) -> Offer:
    made, _ = handshake.make_offer(guest or people.alice(), people.bob().hash, people.bob().modulus, secret)
    return handshake.read_offer(people.bob(), made)


def test_an_offer_is_judged_by_the_link_that_it_was_made_with() -> None:
    (one, first), (two, second) = links.make("one", NOW), links.make("two", NOW)
    held = {one: first, two: second}
    assert links.judge(held, offer(second.secret), NOW) == ("answer", two)
    assert links.judge(held, offer(b"another secret!!"), NOW) == ("drop", None)


def test_a_spent_link_is_remembered_for_a_day() -> None:
    key, link = links.make("", NOW)
    held = {key: links.spent(link)}
    assert links.judge(held, offer(link.secret), NOW) == ("used", key)
    tomorrow = Moment(NOW.wall + DAY_SECONDS, NOW.mono)
    assert links.judge(held, offer(link.secret), tomorrow) == ("drop", None)
    assert not held[key].is_live(NOW)


def test_a_link_is_answered_once_to_each_and_to_four_at_most() -> None:
    key, link = links.make("", NOW)
    mine = offer(link.secret)
    link = links.answered(link, mine)
    assert links.judge({key: link}, mine, NOW) == ("drop", key)
    for name in range(links.ANSWERS_MAX - 1):
        another = msgspec.structs.replace(link, answered=(*link.answered, str(name)))
        assert links.judge({key: link}, offer(link.secret, people.mallory()), NOW) == ("answer", key)
        link = another
    assert links.judge({key: link}, offer(link.secret, people.mallory()), NOW) == ("drop", key)


def test_a_link_survives_a_restart_with_all_that_is_known_of_it() -> None:
    key, link = links.make("Bob", NOW)
    link = links.spent(links.answered(link, offer(link.secret)))
    assert links.decode(links.put(key, link).value) == link


@pytest.mark.parametrize("age", [0.0, DAY_SECONDS - 1.0])
def test_a_link_lives_for_a_day(age: float) -> None:
    _, link = links.make("", NOW)
    assert link.is_live(Moment(NOW.wall + age, 0.0))
    assert not link.is_live(Moment(NOW.wall + DAY_SECONDS, 0.0))
