"""What the commands that delete have in common."""

import argparse
import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from messenger import commands


class PurgeStones(commands.PurgeCommand):
    """Deletes from a list instead of a database."""

    noun = "stone"
    plural = "stones"
    key_help = "a stone"
    stones: tuple[str, ...] = ("a", "b", "c")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.left = list(self.stones)
        self.idle_for: timedelta | None = None

    def find(self, key: str | None, idle_for: timedelta | None) -> Sequence[str]:
        self.idle_for = idle_for
        return [stone for stone in self.left if key in (None, stone)]

    def delete(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.left = [stone for stone in self.left if stone not in keys]
        return {"stones": len(keys), "mosses": 2 * len(keys)}


def purge(*words: str) -> tuple[PurgeStones, str]:
    command = PurgeStones(stdout=io.StringIO(), stderr=io.StringIO())
    call_command(command, *words)
    out = command.stdout
    return command, str(out.getvalue())


def exit_code(*words: str) -> int:
    with pytest.raises(CommandError) as stopped:
        purge(*words)
    return stopped.value.returncode


def test_all_are_deleted_and_counted() -> None:
    command, shown = purge("--all", "--yes")
    assert command.left == []
    assert shown == "Deleted: 3 stones, 6 mosses.\n"


def test_one_is_deleted_by_its_name() -> None:
    command, shown = purge("b", "--yes")
    assert command.left == ["a", "c"]
    assert shown == "Deleted: 1 stones, 2 mosses.\n"


def test_the_count_can_be_had_as_json() -> None:
    _, shown = purge("--all", "--yes", "--json")
    assert json.loads(shown) == {"dry_run": False, "counts": {"stones": 3, "mosses": 6}}


def test_a_dry_run_deletes_nothing_and_asks_nothing() -> None:
    command, shown = purge("--all", "--dry-run")
    assert command.left == ["a", "b", "c"]
    assert shown == "Would delete: 3 stones.\n"


def test_a_time_of_being_idle_is_passed_on() -> None:
    command, _ = purge("--idle-for", "90s", "--yes")
    assert command.idle_for == timedelta(seconds=90)


def test_a_name_that_does_not_exist_is_an_error() -> None:
    assert exit_code("x", "--yes") == commands.NOT_DONE


@pytest.mark.parametrize("words", [[], ["--all", "a"], ["--all", "--idle-for", "1h"], ["--idle-for", "soon"]])
def test_one_choice_must_be_made(words: list[str]) -> None:
    with pytest.raises(CommandError):
        purge(*words, "--yes")


@pytest.mark.parametrize("key", ["-" + "A" * 42, "--" + "a" * 41])
def test_a_hash_that_begins_with_a_dash_is_no_option(key: str) -> None:
    class OneStone(PurgeStones):
        stones = (key, "b")

    command = OneStone(stdout=io.StringIO())
    command.run_from_argv(["manage.py", "purge_stones", key, "--yes"])
    assert command.left == ["b"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("1h", 3600), ("2d", 172800), ("0s", 0)]
)
def test_durations_are_written_with_a_unit(text: str, seconds: int) -> None:
    assert commands.duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1.5h", "1w", "1 h", "1h30m", "１h", "9" * 10 + "d"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        commands.duration(text)


def test_nothing_is_deleted_unasked_where_nobody_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert exit_code("--all") == commands.BAD_USE


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "left"), [("y", 0), ("YES", 0), ("n", 3), ("", 3)])
def test_a_person_is_asked_first(monkeypatch: pytest.MonkeyPatch, answer: str, left: int) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    if left:
        assert exit_code("--all") == commands.NOT_DONE
    else:
        assert len(purge("--all")[0].left) == left


def test_a_bar_is_drawn_where_it_takes_long_and_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    keys = [str(number) for number in range(250)]
    done = list(commands.with_progress(commands.batches(keys), len(keys)))
    assert [len(batch) for batch in done] == [100, 100, 50]
    assert "100/250" in screen.getvalue()
    assert screen.getvalue().endswith("250/250\n")


def test_no_bar_is_drawn_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    list(commands.with_progress(commands.batches(["a"] * 250), 250))
    assert file.getvalue() == ""
