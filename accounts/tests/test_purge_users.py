"""`manage.py purge_users`."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts import identities
from accounts.models import Identity
from accounts.tests.people import Person

pytestmark = pytest.mark.django_db


def purge(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, int]:
    call_command("purge_users", "--yes", "--json", *words)
    counts: dict[str, int] = json.loads(capsys.readouterr().out)["counts"]
    return counts


@pytest.fixture(autouse=True)
def two_users(alice: Person, bob: Person) -> None:
    """Alice was here an hour ago, Bob is here now."""
    now = datetime.now(UTC)
    identities.meet(alice.modulus, now - timedelta(hours=1))
    identities.meet(bob.modulus, now)


def test_all_users_are_erased(capsys: pytest.CaptureFixture[str]) -> None:
    assert purge(capsys, "--all")["users"] == 2
    assert not Identity.objects.exists()


def test_those_who_were_idle_are_erased(capsys: pytest.CaptureFixture[str], bob: Person) -> None:
    assert purge(capsys, "--idle-for", "30m")["users"] == 1
    assert Identity.objects.get().hash == bob.hash


def test_one_user_is_erased_by_the_hash(
    capsys: pytest.CaptureFixture[str], alice: Person, bob: Person
) -> None:
    assert purge(capsys, "--", bob.hash)["users"] == 1
    assert Identity.objects.get().hash == alice.hash


@pytest.mark.parametrize("unknown", ["A" * 43, "nobody"])
def test_an_unknown_hash_is_an_error(unknown: str) -> None:
    with pytest.raises(CommandError, match="no such user") as stopped:
        call_command("purge_users", unknown, "--yes")
    assert stopped.value.returncode == 1


def test_a_dry_run_counts_and_erases_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("purge_users", "--all", "--dry-run")
    assert capsys.readouterr().out == "Would delete: 2 users.\n"
    assert Identity.objects.count() == 2


@pytest.mark.parametrize(("words", "code"), [(["--all", "--idle-for", "1h"], 2), (["--sooner"], 2)])
def test_bad_use_ends_with_code_two(words: list[str], code: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "purge_users", *words],
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == code
