"""A tab that slept past the deadline shows nothing of what is over, not even for one frame."""

import json
from itertools import pairwise

import pytest

from e2e.conftest import MakePerson, MakeStack, meet
from e2e.person import Person
from e2e.stack import wait_until
from e2e.test_gone_after_its_time import SHORT, TTL_SECONDS

ROOT = "document.documentElement"

#: The page's wall clock, which a test may move by the milliseconds that it writes on the root element.
MOVABLE_CLOCK = """(() => {
  const now = Date.now
  Date.now = () => now() + Number(document.documentElement?.dataset.ahead ?? 0)
})()"""

#: For each frame that the page draws: when, by the monotonic clock, and whether the text is there.
WATCH_FRAMES = """(() => {
  const frames = []
  const look = (at) => {
    frames.push([at, document.body.textContent.includes('hello')])
    document.documentElement.dataset.frames = JSON.stringify(frames.slice(-600))
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
})()"""

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
    bob.evaluate(WATCH_FRAMES)
    with bob.standing_still():
        alice.page.wait_for_timeout((TTL_SECONDS + 1) * 1000)
    bob.reads("Time is up.")
    wait_until(lambda: len(_frames_since_sleep(bob)) > 5, what="frames after the sleep")
    assert not any(_frames_since_sleep(bob))


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


def _frames_since_sleep(person: Person) -> list[bool]:
    """Whether the text was there, for each frame after the gap that the standing still has left."""
    frames = json.loads(person.evaluate(f"{ROOT}.dataset.frames"))
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(frames)]
    return [shown for _, shown in frames[gaps.index(max(gaps)) + 1 :]] if max(gaps) > 5_000 else []
