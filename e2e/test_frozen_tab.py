"""A tab that slept past the deadline shows nothing of what is over, not even for one frame."""

import json

import pytest

from e2e.conftest import MakePerson, MakeStack, meet
from e2e.person import Person
from e2e.stack import wait_until
from e2e.test_gone_after_its_time import SHORT, TTL_SECONDS

#: The page's wall clock, which a test may move by the milliseconds that it writes on the root element.
MOVABLE_CLOCK = """(() => {
  const now = Date.now
  Date.now = () => now() + Number(document.documentElement?.dataset.ahead ?? 0)
})()"""

#: For the first frames that the page draws after a gap of so many ms between two: whether the text is there.
WATCH_FRAMES = """(() => {
  const shown = []
  let before = Infinity
  const look = (at) => {
    if (shown.length > 0 || at - before > %d) shown.push(document.body.textContent.includes('hello'))
    before = at
    document.documentElement.dataset.shown = JSON.stringify(shown)
    if (shown.length < 60) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
})()"""
SHOWN = "document.documentElement.dataset.shown"

#: An event of waking, and what the page holds before its next frame: all in one task and its microtasks.
WAKE = """(async () => {
  document.documentElement.dataset.ahead = '3600000'
  %s.dispatchEvent(new Event('%s'))
  for (let turn = 0; turn < 20; turn++) await null
  return document.body.textContent
})()"""


def test_a_tab_that_stood_still_past_the_deadline_draws_no_frame_of_what_is_over(
    make_stack: MakeStack, make_person: MakePerson
) -> None:
    """Without any event that would tell it so; where the browser freezes a tab, it gets one (below)."""
    stack = make_stack(SHORT)
    alice, bob = make_person("Alice", stack).open(), make_person("Bob", stack)
    meet(alice, bob)
    bob.evaluate(WATCH_FRAMES % (TTL_SECONDS * 1000))
    with bob.standing_still():
        alice.page.wait_for_timeout((TTL_SECONDS + 1) * 1000)
    bob.reads("Time is up.")
    wait_until(lambda: len(json.loads(bob.evaluate(SHOWN))) > 5, what="frames after the sleep")
    assert not any(json.loads(bob.evaluate(SHOWN)))


@pytest.mark.parametrize("event", ["document resume", "window pageshow"])
def test_a_clock_that_moved_past_the_deadline_clears_the_page_before_its_next_frame(
    talking: tuple[Person, Person], event: str
) -> None:
    _, bob = talking
    bob.context.add_init_script(MOVABLE_CLOCK)
    bob.reload()
    bob.enters()
    bob.sees("hello")
    target, name = event.split()
    assert "hello" not in bob.evaluate(WAKE % (target, name))
    bob.reads("Time is up.")
