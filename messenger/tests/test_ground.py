"""The tests' own ground."""

import pytest
from channels.layers import get_channel_layer
from django.db import connection


@pytest.mark.django_db(transaction=True)
def test_the_database_is_real() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,)
            cursor.execute("PRAGMA secure_delete")
            assert cursor.fetchone() == (1,)
            cursor.execute("PRAGMA temp_store")
            assert cursor.fetchone() == (2,)
            cursor.execute("PRAGMA foreign_keys")
            assert cursor.fetchone() == (1,)
        else:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("read committed",)


async def test_a_hint_goes_through_the_real_channel_layer() -> None:
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add("people", channel)
    await layer.group_send("people", {"type": "hint"})
    assert await layer.receive(channel) == {"type": "hint"}
    await layer.flush()
