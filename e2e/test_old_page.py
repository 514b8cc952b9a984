"""A page that is older than its server says that it must be loaded again, and loses nothing by it."""

from e2e.conftest import MakePerson
from e2e.network import Frame, Network
from e2e.person import Person
from e2e.stack import Stack


def test_a_page_that_does_not_know_the_servers_frames_says_that_there_is_a_newer_one(
    talking: tuple[Person, Person],
) -> None:
    alice, bob = talking
    network = Network(bob)
    network.rewrite = _of_the_future
    bob.reload()
    alice.says("meanwhile")
    _loads_the_newer_one(bob, network)
    bob.sees("hello", "meanwhile")
    assert all("WireError" in line for line in bob.takes_trouble())


def test_a_page_whose_frames_the_server_does_not_know_says_that_there_is_a_newer_one(
    talking: tuple[Person, Person],
) -> None:
    alice, bob = talking
    network = Network(bob)
    network.rewrite_sent = lambda frame: {**frame, "t": "forgotten"} if frame["t"] == "post" else frame
    bob.reload()
    bob.enters()
    bob.says("in words of the past")
    _loads_the_newer_one(bob, network)
    alice.sees("hello", "in words of the past")


def test_a_page_whose_parts_are_gone_says_so_instead_of_nothing(
    make_person: MakePerson, stack: Stack
) -> None:
    """The index of an older build names files that the new build does not have."""
    person = make_person("Alice", stack)
    person.context.route("**/static/page/assets/*", lambda route: route.fulfill(status=404))
    person.page.goto(person.url)
    person.reads("Quarter has not started.")
    person.reads_text("load the page again: there may be a newer one")
    assert person.axe() == []
    assert all("404" in line or "integrity" in line for line in person.takes_trouble())
    person.context.unroute("**/static/page/assets/*")
    person.reload()
    person.waits_for_home()


def _loads_the_newer_one(person: Person, network: Network) -> None:
    person.reads("There is a newer Quarter.")
    network.rewrite = network.rewrite_sent = lambda frame: frame
    person.loads_again()
    person.enters()


def _of_the_future(frame: Frame) -> Frame:
    return {**frame, "version": 2} if frame["t"] == "ready" else frame
