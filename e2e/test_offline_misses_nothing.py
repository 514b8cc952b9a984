from e2e.person import Person

SAID = [f"message {number}" for number in range(1, 13)]


def test_one_who_was_offline_gets_everything_in_order(talking: tuple[Person, Person]) -> None:
    alice, bob = talking
    bob.goes_offline()
    bob.says("written without a connection")
    bob.sees_waiting("written without a connection")
    for text in SAID:
        alice.says(text)
    alice.sees("hello", *SAID)
    bob.comes_online()
    alice.sees("hello", *SAID, "written without a connection")
    for text in SAID:
        alice.sees_delivered(text)
    bob.sees_delivered("written without a connection")
    bob.sees("hello", "written without a connection", *SAID)
