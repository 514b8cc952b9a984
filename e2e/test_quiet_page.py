"""A page that says nothing for a minute holds one socket, and nobody can tell, on either side."""

import json

from e2e.person import Person

SEND, RECEIVE = "/ws/send/", "/ws/receive/"
QUIET_SECONDS = 61

#: What the page says of its connection, from now on.
WATCH_CONNECTION = """(() => {
  const states = []
  const look = () => {
    const { state } = document.querySelector('[data-testid=connection]').dataset
    if (state !== states.at(-1)) states.push(state)
    document.documentElement.dataset.states = JSON.stringify(states)
  }
  new MutationObserver(look).observe(document.body, { attributes: true, childList: true, subtree: true })
  look()
})()"""
SEEN = "document.documentElement.dataset.states"


def test_a_page_that_was_quiet_for_a_minute_holds_one_socket_and_goes_on_as_if_it_held_both(
    talking: tuple[Person, Person],
) -> None:
    alice, bob = talking
    bob.has_a_clock_to_turn()
    bob.reload()
    bob.enters()
    bob.sees("hello")
    bob.waits_for_connection()
    bob.evaluate(WATCH_CONNECTION)
    bob.turns_clock(QUIET_SECONDS)
    bob.holds_sockets(RECEIVE)

    alice.says("are you there?")
    bob.hears("are you there?")
    alice.sees_delivered("are you there?")
    bob.turns_clock(QUIET_SECONDS)
    bob.holds_sockets(RECEIVE)

    bob.writes("yes")
    alice.sees_writing()
    bob.holds_sockets(RECEIVE, SEND)
    bob.sends_draft()
    alice.sees("hello", "are you there?", "yes")
    bob.sees_delivered("yes")
    assert json.loads(bob.evaluate(SEEN)) == ["online"]
