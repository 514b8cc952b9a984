"""`manage.py openapi`: write docs/openapi.json anew."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts import openapi


class Command(BaseCommand):
    help = "Write docs/openapi.json from the code."

    def handle(self, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "openapi.json"
        path.write_text(openapi.generate(), encoding="utf-8")
        self.stdout.write(f"Written: {path.relative_to(settings.BASE_DIR)}")
