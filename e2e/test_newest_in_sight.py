"""The newest message is on the screen: when a conversation is opened, and not against the reader's will."""

from e2e.conftest import MakePerson, meet
from e2e.stack import Stack

PHONE = {"viewport": {"width": 360, "height": 640}}
#: Three lines each on a phone: far from the height that a line is taken to have before it is in sight.
LINES = [f"Message {number} is one of those that need more than a single line on it." for number in range(24)]
TALL = "line\n" * 300 + "the end of it"


def test_a_conversation_opens_at_its_newest_message_and_an_unfolded_text_stays_where_it_is(
    make_person: MakePerson, stack: Stack
) -> None:
    alice, bob = make_person("Alice", stack, **PHONE).open(), make_person("Bob", stack)
    meet(alice, bob)
    for text in LINES:
        bob.says(text)
    alice.hears(LINES[-1])
    alice.has_in_sight(LINES[-1])
    for _ in range(3):
        alice.reload()
        alice.enters()
        alice.has_in_sight(LINES[-1])
    bob.says(TALL)
    alice.has_in_sight("Show all")
    before = alice.top_of_newest()
    alice.unfolds()
    alice.hears(TALL)
    assert alice.top_of_newest() == before
    bob.says("and more")
    alice.hears("and more")
    assert alice.top_of_newest() > alice.window_height
    alice.shows_newest()
    alice.has_in_sight("and more")
