"""`manage.py asyncapi`: write docs/asyncapi.json anew."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chat import asyncapi


class Command(BaseCommand):
    help = "Write docs/asyncapi.json from the code."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "asyncapi.json"
        path.write_text(asyncapi.generate(), encoding="utf-8")
        self.stdout.write(f"Written: {path.relative_to(settings.BASE_DIR)}")
