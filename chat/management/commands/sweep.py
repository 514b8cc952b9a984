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
        parser.add_argument(
            "--whole",
            action="store_true",
            help="rewrite tables of any size (PostgreSQL): nobody can write to one for some 8 s a GiB",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        swept = msgspec.structs.asdict(expiry.sweep(options["whole"]))
        if options["json"]:
            self.stdout.write(json.dumps(swept))
            return
        freed, seconds = swept.pop("freed"), swept.pop("seconds")
        listed = ", ".join(f"{count} {name}" for name, count in swept.items())
        tail = (
            ""
            if freed
            else " Bytes are still on the disk: sweep again, or see bytes_not_freed in docs/OPERATIONS.md."
        )
        self.stdout.write(f"Deleted in {seconds} s: {listed}.{tail}")
