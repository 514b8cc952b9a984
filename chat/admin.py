"""Sessions and stored ciphertexts in the admin: to be looked at and ended; never added or changed."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from chat import disk, envelope, errors, expiry
from chat.models import Item, Session, Sweep, Why

if TYPE_CHECKING:
    SessionBase = admin.ModelAdmin[Session]
    ItemBase = admin.ModelAdmin[Item]
    SweepBase = admin.ModelAdmin[Sweep]
else:
    SessionBase = ItemBase = SweepBase = admin.ModelAdmin


class ReadOnly:
    """Mixed into each admin here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False  # the admin's own deletion would list everything that goes along

    @admin.action(description="Sweep now: delete all that is over")
    def sweep(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        swept = expiry.sweep()
        messages.success(request, f"Swept: {swept.sessions} sessions, {swept.identities} users.")


@admin.register(Session)
class SessionAdmin(ReadOnly, SessionBase):
    list_display = ("id", "state", "ended_why", "last_seq", "stored_bytes", "age", "left")
    fields = readonly_fields = (
        *("id", "initiator", "responder", "state", "ended_why", "ttl_seconds", "last_seq"),
        *("next_n_initiator", "next_n_responder", "stored_bytes"),
        *("created_at", "last_activity_at", "expires_at"),
    )
    list_filter = ("state",)
    search_fields = ("id__exact",)
    ordering = ("-created_at",)
    actions = ("end", "sweep")

    @admin.display(description="age")
    def age(self, session: Session) -> timedelta:
        return _whole_seconds(timezone.now() - session.created_at)

    @admin.display(description="time left")
    def left(self, session: Session) -> timedelta:
        return _left(session)

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description="End these sessions for both sides", permissions=["end"])
    def end(self, request: HttpRequest, chosen: QuerySet[Session]) -> None:
        ended = expiry.remove(list(chosen.values_list("id", flat=True)), Why.REMOVED)
        disk.free()
        messages.success(request, f"Ended: {ended} sessions.")


@admin.register(Item)
class ItemAdmin(ReadOnly, ItemBase):
    list_display = ("session_id", "seq", "seen", "size", "age", "left")
    fields = readonly_fields = ("session", "seq", "seen", "size", "age", "left", "hex")
    list_select_related = ("session",)
    list_per_page = 50
    search_fields = ("session__id__exact",)
    ordering = ("-created_at", "-seq")
    actions = ("sweep",)

    @admin.display(description="envelope")
    def seen(self, item: Item) -> str:
        try:
            fields = envelope.describe(item.kind, bytes(item.body))
        except errors.BadEnvelope:
            return "not an envelope of this version"
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fields.items())

    @admin.display(description="size (bytes)")
    def size(self, item: Item) -> int:
        return len(item.body)

    @admin.display(description="age")
    def age(self, item: Item) -> timedelta:
        return _whole_seconds(timezone.now() - item.created_at)

    @admin.display(description="time left")
    def left(self, item: Item) -> timedelta:
        return _left(item.session)

    @admin.display(description="ciphertext")
    def hex(self, item: Item) -> str:
        return bytes(item.body).hex(" ", 32)


@admin.register(Sweep)
class SweepAdmin(ReadOnly, SweepBase):
    list_display = fields = readonly_fields = ("swept_at",)
    actions = ("sweep",)


def _left(session: Session) -> timedelta:
    return max(timedelta(), _whole_seconds(session.expires_at - timezone.now()))


def _whole_seconds(time: timedelta) -> timedelta:
    return timedelta(seconds=int(time.total_seconds()))
