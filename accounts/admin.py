"""Identities in the admin: to be looked at, and erased; never added or changed."""

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import identities
from accounts.models import Identity

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Identity]
else:
    Base = admin.ModelAdmin


@admin.register(Identity)
class IdentityAdmin(Base):
    list_display = fields = readonly_fields = ("hash", "created_at", "last_seen_at", "key_bits")
    search_fields = ("hash__exact",)
    ordering = ("-last_seen_at",)
    actions = ("erase",)

    @admin.display(description="key size (bits)")
    def key_bits(self, identity: Identity) -> int:
        return 8 * len(identity.modulus)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    @admin.action(description="Erase these users and all that hangs on them", permissions=["erase"])
    def erase(self, request: HttpRequest, chosen: QuerySet[Identity]) -> None:
        erased = identities.erase(*chosen.values_list("hash", flat=True))
        also = "".join(f", {count} {name}" for name, count in erased.counts.items())
        messages.success(request, f"Erased: {erased.users} users{also}.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Identity | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Identity | None = None) -> bool:
        return (
            False  # the admin's own deletion would list everything that goes along; there is an action for it
        )
