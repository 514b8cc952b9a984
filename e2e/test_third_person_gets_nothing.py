from e2e import search
from e2e.conftest import MakePerson, MakeStack, meet
from e2e.outsider import Outsider
from e2e.person import Person
from e2e.stack import Stack


def test_a_used_link_lets_nobody_else_in_and_both_sides_are_told(
    alice: Person, bob: Person, make_person: MakePerson, stack: Stack
) -> None:
    link = alice.link()
    bob.joins(link)
    bob.says("hello")
    alice.enters()
    alice.sees("hello")
    mallory = make_person("Mallory", stack)
    mallory.joins(link)
    mallory.reads("This link was used already.")
    alice.reads_notice("Somebody tried a link of yours again that had been used.")
    assert "hello" not in mallory.text()
    alice.says("only for Bob")
    bob.sees("hello", "only for Bob")
    assert "only for Bob" not in mallory.text()


def test_a_sessions_id_is_worth_nothing_to_an_outsider(
    make_person: MakePerson, make_stack: MakeStack
) -> None:
    own = make_stack({})
    alice, bob = make_person("Alice", own).open(), make_person("Bob", own)
    meet(alice, bob)
    [session] = search.dump(own.database_path)["chat_session"]
    session_id = str(session[0])
    mallory = Outsider(own.url)
    body = b"x" * 64
    answers = mallory.send(
        {"t": "prepare", "id": 1, "session": session_id},
        {"t": "lookup", "id": 2, "hash": session_id},
        {"t": "answer", "id": 3, "session": session_id, "body": body},
        {"t": "post", "session": session_id, "n": 0, "body": body},
        {"t": "keep", "id": 4, "session": session_id, "ttl": 600},
        # Saying twice that one goes is as good as once, so these are no errors; nothing comes of them.
        {"t": "decline", "id": 5, "session": session_id, "why": "declined"},
        {"t": "leave", "id": 6, "session": session_id},
    )
    assert [answer["t"] for answer in answers[1:5]] == ["error"] * 4
    heard = mallory.receive({session_id: 0})
    assert heard[0] == {"t": "ready", "sessions": []}
    assert not {"item", "session", "volatile"} & {frame["t"] for frame in heard}
    alice.says("undisturbed")
    bob.sees("hello", "undisturbed")
