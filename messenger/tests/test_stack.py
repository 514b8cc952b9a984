"""The parts of `manage.py run` that need no process."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messenger.stack import errors, place, preflight, supervisor


@pytest.fixture
def hard() -> Iterator[int]:
    """How many files this process could open; what it may is put back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_pages_are_not_kept_out_by_the_shells_limit_of_open_files(hard: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    preflight.raise_file_limit()
    most = preflight.FILES_MOST if hard == resource.RLIM_INFINITY else min(hard, preflight.FILES_MOST)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)


def test_a_limit_of_open_files_is_never_lowered(hard: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    preflight.raise_file_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(before[0], preflight.FILES_MOST)


async def test_who_takes_nothing_is_hung_up_on_though_much_is_still_to_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preflight, "UNREAD_SECONDS", 1)
    lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    class Talker(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            transport.write(bytes(32 * 1024 * 1024))
            transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            lost.set_result(exc)

    with preflight.listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        async with await asyncio.get_running_loop().create_server(Talker, sock=listener), asyncio.timeout(60):
            assert isinstance(await lost, TimeoutError)


def test_a_part_comes_back_at_once_and_then_ever_later() -> None:
    pauses = [supervisor.pause_seconds(deaths) for deaths in range(1, 9)]
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_a_long_data_directory_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    data_dir = tmp_path / ("d" * 100)
    data_dir.mkdir()
    with place.hold(data_dir) as directory:
        assert len(bytes(place.socket_path(directory))) <= place.SOCKET_PATH_BYTES
        assert directory.stat().st_mode & 0o777 == 0o700
    assert not directory.exists()


def test_what_a_killed_stack_left_behind_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "run" / "beat.db"
    left.parent.mkdir()
    left.write_bytes(b"old")
    with place.hold(tmp_path) as directory:
        assert list(directory.iterdir()) == []


def test_one_data_directory_is_held_by_one_stack(tmp_path: Path) -> None:
    with place.hold(tmp_path), pytest.raises(errors.InUse), place.hold(tmp_path):
        pass
