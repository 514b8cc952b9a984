from e2e.person import Person


def test_a_duplicated_tab_becomes_a_new_user(alice: Person) -> None:
    """Session storage is copied into it, as browsers do; the lock on the identity is not."""
    copy = alice.duplicates_tab()
    assert copy.code() != alice.code()
    alice.reload()
    alice.waits_for_home()
