from e2e import search
from e2e.conftest import MakePerson, MakeStack, meet
from e2e.stack import wait_until

HELD = (
    "accounts_identity",
    "accounts_token",
    "accounts_challenge",
    "chat_session",
    "chat_item",
    "chat_sealhalf",
)


def test_erasing_everything_leaves_nothing_tells_the_peer_and_gives_a_receipt(
    make_stack: MakeStack, make_person: MakePerson
) -> None:
    stack = make_stack({})
    alice, bob = make_person("Alice", stack).open(), make_person("Bob", stack)
    meet(alice, bob)
    alice.says("to be forgotten")
    bob.sees("hello", "to be forgotten")
    bodies = [
        max((cell for cell in row if isinstance(cell, bytes)), key=len)[-64:]
        for row in search.dump(stack.database_path)["chat_item"]
    ]
    assert search.files_holding_any(bodies, stack.files())

    receipt = alice.erases()
    assert "1 conversation deleted, says the server" in receipt
    assert "The other page was told" in receipt
    wait_until(lambda: "to be forgotten" not in bob.text(), what="Bob's page")

    tables = search.dump(stack.database_path)
    assert len(tables["accounts_identity"]) == 1
    assert [row for name in ("chat_item", "chat_sealhalf") for row in tables[name]] == []
    wait_until(lambda: not search.files_holding_any(bodies, stack.files()), 30, "the file")

    bob.erases()
    tables = search.dump(stack.database_path)
    assert {name: tables[name] for name in HELD if tables[name]} == {}


def test_after_erasing_one_starts_anew_as_somebody_else(
    make_person: MakePerson, make_stack: MakeStack
) -> None:
    stack = make_stack({})
    alice = make_person("Alice", stack).open()
    before = alice.code(), alice.databases()
    alice.erases()
    alice.page.get_by_role("button", name="Start anew").click()
    alice.waits_for_home()
    assert alice.code() != before[0]
    assert not alice.databases() & before[1]


def test_a_failed_erasing_says_so_until_it_has_succeeded(
    make_person: MakePerson, make_stack: MakeStack
) -> None:
    stack = make_stack({})
    alice = make_person("Alice", stack).open()
    alice.goes_offline()
    alice.asks_to_erase()
    alice.page.get_by_role("button", name="Yes, erase everything").click()
    alice.sees_erase_banner()
    alice.comes_online()
    alice.waits_for_connection()
    alice.page.get_by_role("button", name="Try again").click()
    alice.reads("All erased.")
