from e2e.person import Person


def test_a_tab_that_is_closed_and_brought_back_goes_on_with_its_conversation(
    talking: tuple[Person, Person],
) -> None:
    """Browsers restore the session storage of a tab that they bring back."""
    alice, bob = talking
    storage = bob.closes_tab()
    alice.says("while it was closed")
    bob.opens_tab(storage)
    bob.enters()
    bob.sees("hello", "while it was closed")
    bob.says("back")
    alice.sees("hello", "while it was closed", "back")


def test_a_new_tab_in_the_same_browser_is_a_new_user_and_shows_nothing(
    talking: tuple[Person, Person],
) -> None:
    alice, bob = talking
    storage = bob.closes_tab()
    bob.opens_tab({})
    bob.waits_for_home()
    assert bob.conversations.count() == 0
    assert "hello" not in bob.text()
    alice.says("to the old one")
    bob.page.close()
    bob.opens_tab(storage)
    bob.enters()
    bob.sees("hello", "to the old one")
