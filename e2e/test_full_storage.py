from e2e.conftest import MakePerson, meet
from e2e.person import Person
from e2e.stack import Stack

NO_ROOM = "This browser has no room left."


def test_a_page_without_room_says_so_and_goes_on_by_itself_when_there_is_some(
    make_person: MakePerson, stack: Stack, alice: Person
) -> None:
    bob = make_person("Bob", stack)
    bob.has_little_room()
    meet(alice, bob)
    bob.runs_out_of_room()
    alice.says("finds no room")
    bob.reads_alert(NO_ROOM)
    assert bob.axe() == []
    bob.says("can’t be kept")
    bob.reads_notice("There is no room in this browser to keep that.")
    assert bob.draft() == "can’t be kept"
    bob.sees("hello")
    bob.makes_room()
    bob.reads_no_alert(NO_ROOM)
    bob.sees("hello", "finds no room")
    alice.sees_delivered("finds no room")
    bob.sends_draft()
    alice.sees("hello", "finds no room", "can’t be kept")
    bob.reload()
    bob.enters()
    bob.sees("hello", "finds no room", "can’t be kept")
    assert all("QuotaExceededError" in line for line in bob.takes_trouble())
