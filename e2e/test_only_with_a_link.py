from e2e.person import Person


def test_who_has_but_the_code_waits_in_vain_where_links_are_wanted(alice: Person, bob: Person) -> None:
    bob.open()
    code = alice.code()
    alice.page.get_by_label("Only with a link").click()
    alice.reads_text("nobody reaches you with it alone")
    alice.reload()
    bob.asks(code)
    bob.reads_text("You asked to talk.")
    alice.waits_for_connection()
    bob.goes_home()
    bob.joins(alice.link())
    bob.is_let_in()
    assert alice.conversations.count() == 1
