"""`manage.py stats`: what the server holds, in numbers."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chat import stats


class Command(BaseCommand):
    help = "Show how much is stored, and how old it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = stats.read()
        if options["json"]:
            self.stdout.write(json.dumps(numbers))
            return
        for name, value in numbers.items():
            self.stdout.write(f"{name.replace('_', ' '):26}{'-' if value is None else value:>14}")
