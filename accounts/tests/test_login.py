"""Login by possession of the key."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from accounts import b64u, login, tokens
from accounts.errors import LoginFailed
from accounts.models import Challenge, Identity, Token
from accounts.tests.people import NOON, ORIGIN, Person

pytestmark = pytest.mark.django_db


def enter(person: Person, origin: str = ORIGIN) -> login.Admitted:
    asked = login.challenge(person.modulus, origin, NOON)
    return login.admit(login.answer(asked.id, person.prove(asked.sealed, origin), origin, NOON), NOON)


def test_the_holder_of_a_key_gets_a_token_for_its_hash(alice: Person) -> None:
    admitted = enter(alice)
    assert admitted.hash == alice.hash
    assert tokens.resolve(admitted.token) == alice.hash


def test_the_identity_comes_to_be_with_the_first_login_that_succeeds(alice: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    assert not Identity.objects.exists()
    login.admit(login.answer(asked.id, alice.prove(asked.sealed), ORIGIN, NOON), NOON)
    known = Identity.objects.get()
    assert (known.hash, bytes(known.modulus)) == (alice.hash, alice.modulus)
    assert known.created_at == NOON
    assert known.last_seen_at == NOON.replace(second=0)


def test_a_second_login_keeps_the_identity(alice: Person) -> None:
    assert enter(alice).token != enter(alice).token
    assert Identity.objects.count() == 1


def test_somebody_else_can_not_answer(alice: Person, mallory: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    with pytest.raises(LoginFailed):
        login.answer(asked.id, mallory.prove(asked.sealed), ORIGIN, NOON)


def test_a_challenge_can_be_answered_once(alice: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    proof = alice.prove(asked.sealed)
    login.answer(asked.id, proof, ORIGIN, NOON)
    with pytest.raises(LoginFailed):
        login.answer(asked.id, proof, ORIGIN, NOON)


def test_a_wrong_answer_uses_the_challenge_up(alice: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    with pytest.raises(LoginFailed):
        login.answer(asked.id, bytes(32), ORIGIN, NOON)
    with pytest.raises(LoginFailed):
        login.answer(asked.id, alice.prove(asked.sealed), ORIGIN, NOON)


def test_a_challenge_dies_after_a_minute(alice: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    with pytest.raises(LoginFailed):
        login.answer(asked.id, alice.prove(asked.sealed), ORIGIN, NOON + timedelta(seconds=60))


def test_an_unknown_challenge_fails_like_any_other() -> None:
    with pytest.raises(LoginFailed):
        login.answer(b64u.encode(bytes(16)), bytes(32), ORIGIN, NOON)


def test_a_challenge_passed_on_to_another_site_does_not_open_there(alice: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    proof_for_elsewhere = alice.prove(asked.sealed, "https://mallory.example")
    with pytest.raises(LoginFailed):
        login.answer(asked.id, proof_for_elsewhere, ORIGIN, NOON)


def test_an_answer_counts_only_for_the_origin_that_asked(alice: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    with pytest.raises(LoginFailed):
        login.answer(asked.id, alice.prove(asked.sealed), "http://127.0.0.1:8000", NOON)


def test_what_is_stored_does_not_let_anyone_in(alice: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    stored = Challenge.objects.get()
    proof = alice.prove(asked.sealed)
    assert proof not in (bytes(stored.proof_digest), bytes(stored.modulus))
    with pytest.raises(LoginFailed):
        login.answer(asked.id, bytes(stored.proof_digest), ORIGIN, NOON)


def test_expired_challenges_are_forgotten(alice: Person) -> None:
    login.challenge(alice.modulus, ORIGIN, NOON)
    login.challenge(alice.modulus, ORIGIN, NOON + timedelta(seconds=1))
    assert login.forget_expired(NOON + timedelta(seconds=60)) == 1
    assert Challenge.objects.count() == 1


def test_an_erased_user_can_not_enter_with_an_old_token(alice: Person) -> None:
    enter(alice)
    Identity.objects.all().delete()
    assert not Token.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_at_once_one_succeeds(alice: Person) -> None:
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    proof = alice.prove(asked.sealed)
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def attempt() -> None:
        start.wait()
        try:
            login.answer(asked.id, proof, ORIGIN, NOON)
            outcomes.append("in")
        except LoginFailed:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused", "refused", "refused"]
