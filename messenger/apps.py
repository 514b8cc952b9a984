"""Django's registry entries of the wiring: the checks, and the admin under its own name."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class MessengerConfig(AppConfig):
    name = "messenger"

    def ready(self) -> None:
        from messenger import checks  # noqa: F401  registers them


class QuarterAdminConfig(AdminConfig):
    default_site = "messenger.admin.QuarterAdminSite"
