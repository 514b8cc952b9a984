from e2e.conftest import MakePerson
from e2e.person import Person
from e2e.stack import Stack


def test_a_guest_writes_before_the_owner_is_back(
    alice: Person, bob: Person, make_person: MakePerson, stack: Stack
) -> None:
    link = alice.link()
    alice.goes_offline()
    bob.joins(link)
    bob.says("are you there?")
    bob.says("I'll wait")
    bob.sees_waiting("I'll wait")
    alice.comes_online()
    alice.enters()
    alice.sees("are you there?", "I'll wait")
    bob.sees_delivered("I'll wait")
