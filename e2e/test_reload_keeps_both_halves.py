from e2e.person import Person


def test_both_reload_and_read_both_halves_and_talk_on(talking: tuple[Person, Person]) -> None:
    alice, bob = talking
    alice.says("from Alice")
    bob.sees("hello", "from Alice")
    bob.says("from Bob")
    alice.sees("hello", "from Alice", "from Bob")
    for person in talking:
        person.reload()
        person.enters()
        person.sees("hello", "from Alice", "from Bob")
    alice.says("still here")
    bob.sees("hello", "from Alice", "from Bob", "still here")
