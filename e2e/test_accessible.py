"""axe finds nothing on any screen, in light and in dark, on a desktop and on a phone."""

from typing import Any

import pytest

from e2e.conftest import MakePerson
from e2e.stack import Stack

LOOKS: dict[str, dict[str, Any]] = {
    "light desktop": {"color_scheme": "light"},
    "dark desktop": {"color_scheme": "dark"},
    "light phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
    "dark phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}, "has_touch": True},
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_any_screen(look: str, make_person: MakePerson, stack: Stack) -> None:
    context = {**LOOKS[look], "reduced_motion": "reduce"}
    alice, bob = make_person("Alice", stack, **context).open(), make_person("Bob", stack, **context)
    found: dict[str, list[str]] = {}

    found["home"] = alice.axe()
    link = alice.link()
    bob_code = bob.open().code()
    bob.follows(link)
    found["arriving by link"] = bob.axe()
    bob.join_button.click()
    bob.says("hello https://example.org 👋")
    alice.enters()
    alice.sees("hello https://example.org 👋")
    bob.says("line\n" * 40)
    alice.has_in_sight("Show all")
    found["conversation, the owner's"] = alice.axe()
    found["conversation, the guest's"] = bob.axe()
    alice.compares()
    found["safety number"] = alice.axe()
    alice.closes_dialog()

    carol = make_person("Carol", stack, **context).open()
    carol.asks(bob_code)
    found["asking"] = carol.axe()
    bob.goes_home()
    bob.enters()
    bob.reads("Somebody asks to talk.")
    found["request"] = bob.axe()
    bob.declines()
    carol.reads("They declined.")
    found["the end"] = carol.axe()

    alice.leaves()
    alice.reads("You left.")
    found["left"] = alice.axe()
    alice.closes()
    alice.asks_to_erase()
    found["the question before erasing"] = alice.axe()
    alice.page.get_by_role("button", name="Yes, erase everything").click()
    alice.reads("All erased.")
    found["receipt"] = alice.axe()

    assert {screen: lines for screen, lines in found.items() if lines} == {}
