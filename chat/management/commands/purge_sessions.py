"""`manage.py purge_sessions`: end conversations, and delete all that was stored of them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from chat import disk, expiry, sessions
from chat.models import Item, Kind, Why
from messenger.commands import PurgeCommand


class Command(PurgeCommand):
    help = "End conversations at once, for both sides."
    noun = "session"
    plural = "sessions"
    key_help = "the id of one session, 43 characters"

    def find(self, key: str | None, idle_for: timedelta | None) -> Sequence[str]:
        rows = sessions.live()
        if key is not None:
            rows = rows.filter(id=key)
        if idle_for is not None:
            rows = rows.filter(last_activity_at__lt=timezone.now() - idle_for)
        return list(rows.order_by("last_activity_at").values_list("id", flat=True))

    @transaction.atomic
    def delete(self, keys: Sequence[str]) -> Mapping[str, int]:
        messages = Item.objects.filter(session__in=keys, kind=Kind.MESSAGE).count()
        return {"sessions": expiry.remove(keys, Why.REMOVED), "messages": messages}

    def handle(self, **options: Any) -> None:
        super().handle(**options)
        if not options["dry_run"]:
            disk.free()
