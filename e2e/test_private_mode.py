"""What browsers do in their private modes, and where a person forbids a site to keep anything."""

import pytest

from e2e.conftest import MakePerson
from e2e.person import Person
from e2e.stack import Stack

REFUSALS = {
    "no IndexedDB at all": "delete window.indexedDB; delete Window.prototype.indexedDB",
    "an IndexedDB that opens nothing": """IDBFactory.prototype.open = () => {
      throw new DOMException('not here', 'SecurityError') }""",
    "no session storage": """Object.defineProperty(window, 'sessionStorage', { get: () => {
      throw new DOMException('not here', 'SecurityError') } })""",
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_browser_that_keeps_nothing_is_told_in_words(
    make_person: MakePerson, stack: Stack, refusal: str
) -> None:
    person = make_person("Alice", stack)
    person.context.add_init_script(REFUSALS[refusal])
    person.page.goto(person.url)
    person.reads("This browser keeps nothing.")


def test_a_private_window_forgets_everything_with_its_end(
    talking: tuple[Person, Person], make_person: MakePerson, stack: Stack
) -> None:
    """Each person of these tests has a private window; what one kept, the next one does not find."""
    _, bob = talking
    assert len(bob.databases()) == 1
    bob.leaves_the_machine()
    assert len(make_person("Carol", stack).open().databases()) == 1
