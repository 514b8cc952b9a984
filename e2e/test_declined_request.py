from e2e.person import Person


def test_a_declined_request_ends_for_both_and_lets_nothing_through(alice: Person, bob: Person) -> None:
    bob.open()
    bob.asks(alice.code())
    alice.enters()
    alice.reads("Somebody asks to talk.")
    alice.declines()
    bob.reads("They declined.")
    assert alice.page.get_by_role("log").count() == 0


def test_an_accepted_request_is_a_conversation_that_is_shown_as_unverified(
    alice: Person, bob: Person
) -> None:
    bob.open()
    bob.asks(alice.code())
    alice.enters()
    alice.accepts()
    bob.says("thank you")
    alice.sees("thank you")
    for person in (alice, bob):
        assert "Not verified" in person.text()
