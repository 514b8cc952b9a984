"""`manage.py run`: the whole of Quarter on this machine, with one command."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messenger.stack import errors
from messenger.stack.run import Options, run


class Command(BaseCommand):
    help = "Start Quarter: Valkey, the server, the worker and its clock. Ctrl-C ends them all."
    # The parts check theirs: what they are given (a REDIS_URL) is not in this process's settings.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="IPv4 address to listen on (%(default)s)")
        parser.add_argument(
            "--port", type=int, default=8000, help="port to listen on; 0: a free one (%(default)s)"
        )
        parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne", help="%(default)s")
        parser.add_argument("--data-dir", type=Path, default=None, help="instead of QUARTER_DATA_DIR")
        parser.add_argument("--dev", action="store_true", help="the page from Vite, reloaded as it changes")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Options(
            host=options["host"],
            port=options["port"],
            server=options["server"],
            data_dir=options["data_dir"] or Path(settings.DATA_DIR),
            page=Path(settings.PAGE_DIR) / "index.html",
            frontend=Path(settings.BASE_DIR) / "frontend",
            dev=options["dev"],
        )
        try:
            run(chosen, os.environ, self._say)
        except errors.CannotRun as error:
            raise CommandError(str(error), returncode=error.returncode) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
