"""Bearer tokens."""

import hashlib
from datetime import timedelta

import pytest

from accounts import b64u, identities, tokens
from accounts.errors import NotLoggedIn
from accounts.models import Token
from accounts.tests.people import NOON, Person

pytestmark = pytest.mark.django_db


def test_a_token_stands_for_its_identity(alice: Person, bob: Person) -> None:
    a, b = (tokens.issue(identities.meet(who.modulus, NOON), NOON) for who in (alice, bob))
    assert (tokens.resolve(a), tokens.resolve(b)) == (alice.hash, bob.hash)


def test_the_table_holds_digests_only(alice: Person) -> None:
    token = tokens.issue(identities.meet(alice.modulus, NOON), NOON)
    stored = bytes(Token.objects.get().digest)
    assert stored == hashlib.sha256(b64u.decode(token, 32)).digest()


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 42 + "B", "A" * 44, "ä" * 43, "A" * 42 + "="])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(NotLoggedIn):
        tokens.resolve(token)


def test_a_token_dies_with_its_identity(alice: Person) -> None:
    token = tokens.issue(identities.meet(alice.modulus, NOON), NOON)
    identities.erase(alice.hash)
    with pytest.raises(NotLoggedIn):
        tokens.resolve(token)


def test_only_the_last_few_tokens_of_an_identity_count(alice: Person) -> None:
    identities.meet(alice.modulus, NOON)
    issued = [tokens.issue(alice.hash, NOON + timedelta(seconds=second)) for second in range(6)]
    with pytest.raises(NotLoggedIn):
        tokens.resolve(issued[1])
    assert [tokens.resolve(token) for token in issued[2:]] == [alice.hash] * 4
