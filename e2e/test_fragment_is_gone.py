from e2e.person import Person


def test_the_secret_leaves_the_address_bar_and_the_history_at_once(alice: Person, bob: Person) -> None:
    link = alice.link()
    assert "#" in link
    bob.page.goto("about:blank")
    bob.follows(link)
    assert bob.page.url == f"{bob.url}/"
    assert bob.evaluate("location.href") == f"{bob.url}/"
    assert not [entry for entry in bob.history() if "#" in entry]


def test_looking_at_a_link_uses_nothing_up(alice: Person, bob: Person) -> None:
    link = alice.link()
    bob.follows(link)
    bob.page.goto("about:blank")
    bob.joins(link)
    bob.says("hello")
    alice.enters()
    alice.sees("hello")
