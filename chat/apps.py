"""The app that holds conversations: what is stored, delivered and forgotten."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import erasure  # noqa: F401  (hears of erased identities)
