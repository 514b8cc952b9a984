from e2e import search
from e2e.conftest import MakePerson, MakeStack, meet
from e2e.stack import wait_until

TTL_SECONDS = 12
SHORT = {
    "QUARTER_TTL_SECONDS": str(TTL_SECONDS),
    "QUARTER_TTL_MIN_SECONDS": "5",
    "QUARTER_SWEEP_SECONDS": "2",
}


def test_after_its_time_a_conversation_is_gone_everywhere(
    make_stack: MakeStack, make_person: MakePerson
) -> None:
    """On both pages, in the database's tables, and in the bytes of its file and write-ahead log."""
    stack = make_stack(SHORT)
    alice, bob = make_person("Alice", stack).open(), make_person("Bob", stack)
    meet(alice, bob)
    tables = search.dump(stack.database_path)
    bodies = [_longest_bytes(row) for row in tables["chat_item"]]
    session_id = str(tables["chat_session"][0][0]).encode()
    assert len(bodies) >= 3
    assert search.files_holding_any([bodies[-1][-64:]], stack.files())

    for person in (alice, bob):
        person.reads("Time is up.")
        assert "hello" not in person.text()
    wait_until(lambda: search.dump(stack.database_path)["chat_session"] == [], 30, "the sweep")
    assert search.dump(stack.database_path)["chat_item"] == []
    assert search.dump(stack.database_path)["chat_sealhalf"] == []
    needles = [session_id, *(body[-64:] for body in bodies)]
    wait_until(lambda: not search.files_holding_any(needles, stack.files()), 30, "the file")
    for person in (alice, bob):
        person.reload()
        person.waits_for_home()
        assert "hello" not in person.text()


def test_keeping_it_on_gives_another_round(make_stack: MakeStack, make_person: MakePerson) -> None:
    stack = make_stack({**SHORT, "QUARTER_TTL_SECONDS": "16"})
    alice, bob = make_person("Alice", stack).open(), make_person("Bob", stack)
    meet(alice, bob)
    alice.page.wait_for_timeout(8_000)
    alice.keeps()
    alice.page.wait_for_timeout(9_000)  # the time of `hello` is over
    alice.says("still open")
    bob.sees("hello", "still open")


def _longest_bytes(row: tuple[object, ...]) -> bytes:
    return max((cell for cell in row if isinstance(cell, bytes)), key=len)
