"""The promises under faults, in short; and that the soak would notice a server which breaks them.

All runs at the same time: they mostly wait. Each has processes, files and sockets of its own.
"""

import asyncio
import shutil
from dataclasses import replace

import pytest

from messenger.tests import services
from soak.plant import Database
from soak.run import Options, Verdict, run

#: No measurement: the machine is busy with other tests. `make soak` holds the 5 s of R4, and takes no busy
#: machine for the reason why a server waited too long for Redis.
RECOVERY_SECONDS = 30.0
BUSY = (
    "layer_lost .*TimeoutError",
    "layer_(back|slow|was_deaf)",
    "sweep_overdue",
    r"\[django\.request\].*status=503",
)


def _postgres_if_there() -> Database:
    try:
        services.postgres_binaries()
    except SystemExit:
        return "sqlite"
    return "postgres"


SHORT = Options(1, rate=20, recovery_seconds=RECOVERY_SECONDS, excuses=BUSY)
HONEST = (
    SHORT,
    replace(SHORT, seed=2, servers=2),
    replace(SHORT, seed=3, database=_postgres_if_there(), kind="uvicorn"),
)
BROKEN = Options(4, conversations=5, seconds=10, rate=20, quiet_seconds=10)
HASTY = replace(BROKEN, application="soak.tests.hasty:application", faults=["server killed"])
FORGETFUL = replace(BROKEN, application="soak.tests.forgetful:application", faults=["connections cut"])


@pytest.fixture(scope="module")
def verdicts() -> dict[int, Verdict]:
    async def all_at_once() -> list[Verdict]:
        return await asyncio.gather(*map(run, (*HONEST, HASTY, FORGETFUL)))

    verdicts = asyncio.run(all_at_once())
    for sabotaged in verdicts[len(HONEST) :]:
        if sabotaged.kept:
            shutil.rmtree(sabotaged.kept)
    return dict(enumerate(verdicts))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_nothing_is_lost_doubled_or_out_of_order_while_parts_are_hurt(
    verdicts: dict[int, Verdict], number: int
) -> None:
    verdict = verdicts[number]
    assert not verdict.wrongs, str(verdict)
    assert verdict.struck.total() >= 3
    assert verdict.said > 1000
    assert verdict.again > 0


@pytest.mark.parametrize("number", [0, 1, 2])
def test_who_says_too_much_is_told_when_to_come_back_and_loses_nothing(
    verdicts: dict[int, Verdict], number: int
) -> None:
    assert verdicts[number].refusals["too_fast"] > 0
    assert not verdicts[number].wrongs, str(verdicts[number])


def test_a_server_that_acknowledges_before_it_commits_is_found_out(verdicts: dict[int, Verdict]) -> None:
    assert any("acknowledged and lost" in wrong for wrong in verdicts[3].wrongs), str(verdicts[3])


def test_a_server_that_forgets_who_was_away_is_found_out(verdicts: dict[int, Verdict]) -> None:
    assert any("acknowledged and lost" in wrong for wrong in verdicts[4].wrongs), str(verdicts[4])
