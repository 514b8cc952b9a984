"""Identities in the admin."""

import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from accounts import identities
from accounts.models import Identity
from accounts.tests.people import NOON, Person
from messenger import admin
from messenger.tests.wire import call

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
    wrong = urlencode({**fields, "password": "another passphrase"}).encode()
    for _ in range(admin.LOGINS_PER_MINUTE):
        answer = await call("POST", "/admin/login/", body=wrong, headers=sent)
    assert answer.status == 429, "guessing is limited, and so is what each guess costs"


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
