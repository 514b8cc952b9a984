"""What the commands that delete have in common: which rows, a look before, a question, a count after.

    manage.py purge_… [NAME] [--all] [--idle-for 1h] [--dry-run] [--yes] [--json]

Exit codes: 0 done (also where nothing matched --all or --idle-for: the state asked for is there), 1 the
named row does not exist, or the question was answered with no, 2 bad use.
"""

import abc
import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

NOT_DONE = 1
BAD_USE = 2
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BATCH = 100
DASHED_KEY = re.compile(r"-[A-Za-z0-9_-]{42}")


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `1h`, `2d` as a timedelta; argparse's error for anything else."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 15m, 1h or 2d")
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


class PurgeCommand(BaseCommand, abc.ABC):
    """A command that deletes rows of one kind. A subclass says which, and how.

    `find` gives the keys that match, `delete` deletes a batch of them in one transaction and gives counts
    by name.
    """

    noun: str
    plural: str
    key_help: str

    @abc.abstractmethod
    def find(self, key: str | None, idle_for: timedelta | None) -> Sequence[str]:
        """The keys of the rows: the one named, those idle for so long, or all where both are None."""

    @abc.abstractmethod
    def delete(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Delete them; how many rows of what went."""

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(with_dashed_keys_last(argv))

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("key", nargs="?", metavar=self.noun.upper(), help=self.key_help)
        which.add_argument("--all", action="store_true", help=f"all {self.plural}")
        which.add_argument(
            "--idle-for", type=duration, metavar="TIME", help="idle for so long: 90s, 15m, 1h, 2d"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be deleted; delete nothing"
        )
        parser.add_argument("--yes", action="store_true", help="don't ask")
        parser.add_argument("--json", action="store_true", help="the count as one line of JSON")
        parser.epilog = "Exit codes: 0 done, 1 not found or not confirmed, 2 bad use."

    def handle(self, **options: Any) -> None:
        keys = list(self.find(options["key"], options["idle_for"]))
        if options["key"] and not keys:
            raise CommandError(f"There is no such {self.noun}.", returncode=NOT_DONE)
        if options["dry_run"]:
            self._report({self.plural: len(keys)}, options["json"], done=False)
            return
        if keys and not options["yes"]:
            self._confirm(len(keys))
        self._report(self._delete_all(keys), options["json"], done=True)

    def _confirm(self, count: int) -> None:
        if not sys.stdin.isatty():
            raise CommandError("Nobody is there to be asked: say --yes (or --dry-run).", returncode=BAD_USE)
        # The question goes to standard error, so that standard output holds the count alone.
        self.stderr.write(f"Delete {count} {self.noun if count == 1 else self.plural}? [y/N] ", ending="")
        if input().strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was deleted.", returncode=NOT_DONE)

    def _delete_all(self, keys: Sequence[str]) -> dict[str, int]:
        total: dict[str, int] = {self.plural: 0}
        for batch in with_progress(batches(keys), len(keys)):
            for name, count in self.delete(batch).items():
                total[name] = total.get(name, 0) + count
        return total

    def _report(self, counts: Mapping[str, int], as_json: bool, done: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"dry_run": not done, "counts": counts}))
            return
        listed = ", ".join(f"{count} {name}" for name, count in counts.items())
        self.stdout.write(f"{'Deleted' if done else 'Would delete'}: {listed}.")


def with_dashed_keys_last(argv: Sequence[str]) -> list[str]:
    """`argv` with each key that begins with a dash, as one in 64 does, behind the `--` that it needs."""
    keys = [word for word in argv if DASHED_KEY.fullmatch(word)]
    return [word for word in argv if word not in keys] + (["--", *keys] if keys else [])


def batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """`keys` in pieces of at most BATCH."""
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))


def with_progress(steps: Iterable[Sequence[str]], total: int) -> Iterator[Sequence[str]]:
    """Go through `steps`.

    On a terminal draw a bar on standard error, where there is more than one batch to wait for.
    """
    draw = sys.stderr.isatty() and total > BATCH
    done = 0
    for step in steps:
        yield step
        done += len(step)
        if draw:
            filled = 30 * done // total
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{total}{end}")
            sys.stderr.flush()
