"""The life of an identity."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from accounts import identities, tokens
from accounts.models import Challenge, Identity, Token
from accounts.tests.people import NOON, Person
from messenger.tests import races

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Iterator[list[Sequence[str]]]:
    """What a receiver of `erasing` was told; it counts two letters for each user."""
    heard: list[Sequence[str]] = []

    def receiver(sender: Any, hashes: Sequence[str], **kwargs: Any) -> dict[str, int]:
        assert Identity.objects.filter(pk__in=hashes).count() == len(hashes)
        heard.append(hashes)
        return {"letters": 2 * len(hashes)}

    identities.erasing.connect(receiver)
    yield heard
    identities.erasing.disconnect(receiver)


def test_erasing_a_user_erases_tokens_too(alice: Person, bob: Person) -> None:
    for who in (alice, bob):
        tokens.issue(identities.meet(who.modulus, NOON), NOON)
    assert identities.erase(alice.hash).users == 1
    assert Identity.objects.get().hash == bob.hash
    assert Token.objects.get().identity_id == bob.hash


def test_what_else_goes_is_counted_before_it_goes(
    alice: Person, bob: Person, told: list[Sequence[str]]
) -> None:
    for who in (alice, bob):
        identities.meet(who.modulus, NOON)
    erased = identities.erase(alice.hash, bob.hash)
    assert (erased.users, erased.counts["letters"]) == (2, 4)
    assert told == [sorted([alice.hash, bob.hash])]


def test_erasing_twice_is_as_good_as_once(alice: Person, told: list[Sequence[str]]) -> None:
    identities.meet(alice.modulus, NOON)
    identities.erase(alice.hash)
    assert identities.erase(alice.hash) == identities.Erased(0, {})
    assert len(told) == 1


def test_a_user_who_was_not_seen_for_long_is_erased(alice: Person, bob: Person) -> None:
    identities.meet(alice.modulus, NOON)
    identities.meet(bob.modulus, NOON + timedelta(hours=1))
    assert identities.erase_idle(NOON + timedelta(hours=2), 5400).users == 1
    assert Identity.objects.get().hash == bob.hash


@pytest.mark.django_db(transaction=True)
def test_a_user_who_comes_back_in_the_very_moment_is_kept(alice: Person) -> None:
    identities.meet(alice.modulus, NOON)
    late = NOON + timedelta(hours=2)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            identities.touch(alice.hash, late)
            erasing = races.begin(pool, lambda: identities.erase_idle(late, 5400))
        assert erasing.result(races.SECONDS).users == 0
    assert identities.exists(alice.hash)


def test_being_seen_keeps_a_user(alice: Person) -> None:
    identities.meet(alice.modulus, NOON)
    identities.touch(alice.hash, NOON + timedelta(hours=1))
    assert identities.erase_idle(NOON + timedelta(hours=2), 5400).users == 0


def test_the_minute_is_all_that_is_kept_of_being_seen(alice: Person) -> None:
    identities.meet(alice.modulus, NOON)
    identities.touch(alice.hash, NOON + timedelta(seconds=90))
    assert Identity.objects.get().last_seen_at == NOON.replace(minute=2, second=0)


def test_being_seen_again_in_the_same_minute_writes_nothing(
    alice: Person, django_assert_num_queries: Any
) -> None:
    identities.meet(alice.modulus, NOON)
    with django_assert_num_queries(1) as asked:
        identities.touch(alice.hash, NOON + timedelta(seconds=10))
    assert asked[0]["sql"].startswith("SELECT")


def test_time_does_not_run_backwards_for_a_user(alice: Person) -> None:
    identities.meet(alice.modulus, NOON)
    identities.touch(alice.hash, NOON - timedelta(hours=1))
    assert Identity.objects.get().last_seen_at == NOON.replace(second=0)


def test_a_known_hash_has_its_key(alice: Person, bob: Person) -> None:
    identities.meet(alice.modulus, NOON)
    assert identities.modulus_of(alice.hash) == alice.modulus
    assert identities.modulus_of(bob.hash) is None
    assert identities.is_known(alice.modulus)
    assert not identities.is_known(bob.modulus)


@pytest.mark.parametrize(
    "row",
    [
        Identity(hash="short", modulus=bytes(384), created_at=NOON, last_seen_at=NOON),
        Identity(hash="A" * 43, modulus=bytes(383), created_at=NOON, last_seen_at=NOON),
        Challenge(id="A" * 21, modulus=bytes(384), proof_digest=bytes(32), expires_at=NOON),
        Challenge(id="A" * 22, modulus=bytes(385), proof_digest=bytes(32), expires_at=NOON),
        Challenge(id="A" * 22, modulus=bytes(384), proof_digest=bytes(31), expires_at=NOON),
    ],
    ids=lambda row: type(row).__name__,
)
def test_the_database_itself_refuses_wrong_lengths(row: Identity | Challenge) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_the_database_itself_refuses_a_token_of_nobody() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Token.objects.create(digest=bytes(31), identity_id="A" * 43, created_at=NOON)
