from e2e.person import Person


def test_two_people_talk_both_ways(talking: tuple[Person, Person]) -> None:
    alice, bob = talking
    alice.says("hello Bob")
    bob.says("how are you?")
    alice.sees_delivered("hello Bob")
    bob.sees_delivered("how are you?")
    for person in talking:
        assert {"hello Bob", "how are you?"} <= set(person.page.get_by_role("log").inner_text().split("\n"))


def test_what_is_said_is_shown_as_it_was_written(talking: tuple[Person, Person]) -> None:
    alice, bob = talking
    odd = [
        "<img src=x onerror=alert(1)> & <b>bold</b>",
        "שלום, מה שלומך?",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "see https://example.org/a?b=c#d now",
        "two\nlines",
        "long " * 2000,
    ]
    for text in odd:
        alice.says(text)
    bob.unfolds()
    bob.sees("hello", *(text.strip() for text in odd))
    link = bob.messages.get_by_role("link")
    assert link.get_attribute("href") == "https://example.org/a?b=c#d"
    assert {"noopener", "noreferrer"} <= set((link.get_attribute("rel") or "").split())


def test_both_have_the_same_safety_number(talking: tuple[Person, Person]) -> None:
    alice, bob = talking
    assert alice.compares() == bob.compares()
