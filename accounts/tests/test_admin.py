"""Identities in the admin."""

import re
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from accounts import identities
from accounts.models import Identity
from accounts.tests.people import NOON, Person
from messenger import admin, rates
from messenger.tests.wire import Answer, call

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/identity/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator", password="a long passphrase"))
    return client


def test_an_operator_sees_hash_times_and_key_size(operator: Client, alice: Person) -> None:
    identities.meet(alice.modulus, NOON)
    page = operator.get(LIST, headers={"host": "localhost"}).content.decode()
    assert alice.hash in page
    assert "3072" in page
    assert "Quarter" in page


def test_nothing_can_be_added_changed_or_deleted_one_by_one(operator: Client, alice: Person) -> None:
    identities.meet(alice.modulus, NOON)
    assert operator.get(f"{LIST}add/", headers={"host": "localhost"}).status_code == 403
    page = operator.get(f"{LIST}{alice.hash}/change/", headers={"host": "localhost"})
    assert page.status_code == 200
    assert b'type="submit" value="Save"' not in page.content
    assert operator.post(f"{LIST}{alice.hash}/delete/", headers={"host": "localhost"}).status_code == 403


def test_an_operator_erases_a_user(operator: Client, alice: Person, bob: Person) -> None:
    for who in (alice, bob):
        identities.meet(who.modulus, NOON)
    form = {"action": "erase", "_selected_action": [alice.hash]}
    page = operator.post(LIST, form, headers={"host": "localhost"}, follow=True)
    assert "Erased: 1 users" in page.content.decode()
    assert Identity.objects.get().hash == bob.hash


@pytest.mark.django_db(transaction=True)
async def test_an_operator_logs_in_with_cookies_that_stay_in_the_admin() -> None:
    await sync_to_async(User.objects.create_superuser)("operator", password="a long passphrase")
    form = await call("GET", "/admin/login/")
    assert form.status == 200
    cookie = SimpleCookie(form.headers["set-cookie"])["csrftoken"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/admin/", "Strict", True)
    hidden = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', form.body)
    assert hidden
    fields = {
        "csrfmiddlewaretoken": hidden[1].decode(),
        "username": "operator",
        "password": "a long passphrase",
        "next": "/admin/",
    }
    sent = {
        "origin": "http://localhost:8000",
        "content-type": "application/x-www-form-urlencoded",
        "cookie": f"csrftoken={cookie.value}",
    }
    entered = await call("POST", "/admin/login/", body=urlencode(fields).encode(), headers=sent)
    assert entered.status == 302
    forged = await call(
        "POST", "/admin/login/", body=urlencode({**fields, "csrfmiddlewaretoken": "x"}).encode(), headers=sent
    )
    assert forged.status == 403
    assert "set-cookie" not in forged.headers


@dataclass
class Guesser:
    """Has the login's form, and fills it in from wherever."""

    token: str
    cookie: str

    async def guess(self, client: str, name: str = "operator", password: str = "a guess") -> Answer:
        fields = {"csrfmiddlewaretoken": self.token, "username": name, "password": password}
        headers = {
            "origin": "http://localhost:8000",
            "content-type": "application/x-www-form-urlencoded",
            "cookie": f"csrftoken={self.cookie}",
        }
        body = urlencode(fields).encode()
        return await call("POST", "/admin/login/", body=body, headers=headers, client=client)


@pytest.fixture
async def mallory_guesses(transactional_db: None, settings: Any) -> Guesser:
    """The password of `operator` is `a long passphrase`."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    await sync_to_async(User.objects.create_superuser)("operator", password="a long passphrase")
    form = await call("GET", "/admin/login/")
    hidden = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', form.body)
    assert hidden
    return Guesser(hidden[1].decode(), SimpleCookie(form.headers["set-cookie"])["csrftoken"].value)


async def test_ten_guesses_a_minute_from_one_address(mallory_guesses: Guesser) -> None:
    """Each name counts for itself, so only the address is what they share."""
    limit = admin.LOGINS_PER_MINUTE
    statuses = [(await mallory_guesses.guess("192.0.2.1", f"name {n}")).status for n in range(1, limit + 2)]
    assert statuses == [200] * limit + [429]
    assert (await mallory_guesses.guess("192.0.2.2")).status == 200


async def test_twenty_guesses_a_minute_at_one_name_from_however_many_addresses(
    mallory_guesses: Guesser,
) -> None:
    limit = admin.NAME_LOGINS_PER_MINUTE
    # Django's form takes them all for one name.
    spellings = ("operator", " operator", "operator\t", "\uff4fperator")
    for n in range(limit - 1):
        answer = await mallory_guesses.guess(f"192.0.2.{n}", spellings[n % len(spellings)])
        assert answer.status == 200, n
    entered = await mallory_guesses.guess("192.0.2.98", password="a long passphrase")
    assert entered.status == 302, "at the limit the right one is still taken"
    refused = await mallory_guesses.guess("192.0.2.99", password="a long passphrase")
    assert (refused.status, refused.headers["content-type"]) == (429, "text/plain")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.body == b"Too many attempts. Please wait a minute.\n"
    assert (await mallory_guesses.guess("192.0.2.99", "another")).status == 200


async def test_one_address_alone_locks_nobody_out(mallory_guesses: Guesser) -> None:
    for _ in range(admin.NAME_LOGINS_PER_MINUTE):
        await mallory_guesses.guess("192.0.2.66")
    entered = await mallory_guesses.guess("192.0.2.1", password="a long passphrase")
    assert entered.status == 302


async def test_a_name_that_was_tried_is_kept_nowhere(mallory_guesses: Guesser) -> None:
    await mallory_guesses.guess("192.0.2.1", "somebody who mistyped")
    assert "somebody" not in repr(vars(rates._storage))
    assert "admin_name" in repr(vars(rates._storage))


@pytest.mark.django_db(transaction=True)
async def test_the_admin_works_under_its_policy() -> None:
    page = await call("GET", "/admin/login/")
    policy = page.headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "trusted-types" not in policy
    assert "unsafe" not in policy
    assert page.headers["referrer-policy"] == "same-origin", "else browsers send forms with Origin: null"
    assert b"<script>" not in page.body
    assert b"<style" not in page.body
    assert b"style=" not in page.body
