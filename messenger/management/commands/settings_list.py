"""`manage.py settings_list`: every setting, its default and its meaning."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "List every setting that is read from the environment, with its default. Values are not shown."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        for each in settings.ENV.declared.values():
            self.stdout.write(f"{each.name}={each.default}\n    {each.meaning}")
