"""What an operator sees of conversations: envelopes and numbers, and the means to end them."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from chat import mailbox
from chat.models import Item, Session, Sweep
from chat.tests import people
from chat.tests.people import Person


@pytest.fixture
def operator(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def item(alice: Person, session: str) -> Item:
    body = people.make_message(session, 0, 0, size=512, epoch=1, step=True)
    mailbox.post_batch([mailbox.Post(session, alice.hash, 0, 0, body)])
    return Item.objects.get(kind="message")


def test_a_stored_item_shows_its_envelope_hex_and_size(operator: Client, item: Item) -> None:
    page = operator.get(f"/admin/chat/item/{item.pk}/change/").content.decode()
    assert "version 1, kind message, sender 0, epoch 1, n 0, step True, padded bytes 512" in page
    assert str(len(item.body)) in page
    assert bytes(item.body).hex(" ", 32)[:64] in page


@pytest.mark.parametrize("model", ["session", "item", "sweep"])
def test_everything_is_listed_and_nothing_can_be_added(operator: Client, item: Item, model: str) -> None:
    assert operator.get(f"/admin/chat/{model}/").status_code == 200
    assert operator.get(f"/admin/chat/{model}/add/").status_code == 403


def test_nothing_can_be_changed(operator: Client, session: str) -> None:
    path = f"/admin/chat/session/{session}/change/"
    assert operator.get(path).status_code == 200
    assert operator.post(path, {"ttl_seconds": 1}).status_code == 403
    assert operator.post(f"/admin/chat/session/{session}/delete/").status_code == 403


def test_sessions_are_ended_by_an_action(operator: Client, session: str) -> None:
    form: dict[str, Any] = {"action": "end", "_selected_action": [session]}
    assert operator.post("/admin/chat/session/", form).status_code == 302
    assert not Session.objects.exists()


def test_who_may_only_look_ends_nothing(transactional_db: None, session: str) -> None:
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(looker)
    for model, action, key in (
        ("chat/session", "end", session),
        ("accounts/identity", "erase", Session.objects.get().initiator_id),
    ):
        client.post(f"/admin/{model}/", {"action": action, "_selected_action": [key]})
    assert Session.objects.exists()


def test_a_sweep_is_made_by_an_action(operator: Client, session: str) -> None:
    form: dict[str, Any] = {"action": "sweep", "_selected_action": [session]}
    assert operator.post("/admin/chat/session/", form).status_code == 302
    assert Sweep.objects.exists()
