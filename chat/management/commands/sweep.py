"""`manage.py sweep`: delete what is over, now."""

import json
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandParser

from chat import expiry


class Command(BaseCommand):
    help = "Delete expired conversations and idle users, and free their bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the counts as one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        swept = msgspec.structs.asdict(expiry.sweep())
        if options["json"]:
            self.stdout.write(json.dumps(swept))
            return
        freed, seconds = swept.pop("freed"), swept.pop("seconds")
        listed = ", ".join(f"{count} {name}" for name, count in swept.items())
        tail = "" if freed else " Their bytes are still on the disk: someone was reading. Sweep again."
        self.stdout.write(f"Deleted in {seconds} s: {listed}.{tail}")
