"""`manage.py run`: starts on nothing, says what is wrong, leaves nothing behind."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

START_SECONDS = 60.0
END_SECONDS = 60.0


class Run:
    """One `manage.py run` in a session of its own; its output goes to a file."""

    def __init__(self, directory: Path, *options: str, page: bool = True) -> None:
        self.output_path = directory / "output"
        if page:
            (directory / "page").mkdir(exist_ok=True)
            (directory / "page" / "index.html").write_text("<!doctype html><title>Quarter</title>")
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run", *options],
                cwd=settings.BASE_DIR,
                env=_environment(directory),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.output_path.read_text()

    @property
    def port(self) -> int:
        found = re.search(r"Quarter is ready: http://localhost:(\d+)", self.output)
        assert found, self.output
        return int(found[1])

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output, self.output

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word: str) -> psutil.Process:
        """The one whose command line holds the word."""
        [found] = [child for child in self.children() if word in " ".join(child.cmdline())]
        return found

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(END_SECONDS)


@contextlib.contextmanager
def running(directory: Path, *options: str) -> Iterator[Run]:
    run = Run(directory, "--port", "0", *options)
    try:
        run.wait_for("Quarter is ready")
        yield run
    finally:
        run.process.kill()
        run.process.wait(END_SECONDS)


def refused(directory: Path, *options: str, page: bool = True) -> tuple[int, str]:
    """The exit code and the output of a run that doesn't start."""
    run = Run(directory, *options, page=page)
    return run.process.wait(START_SECONDS), run.output


def wait_until(true: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def get(port: int, path: str) -> int:
    """The status that GET answers, 0 for no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{port}"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0


def _environment(directory: Path) -> dict[str, str]:
    """None of the settings that this test run may have been given."""
    given = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **given,
        "QUARTER_DATA_DIR": str(directory / "data"),
        "QUARTER_PAGE_DIR": str(directory / "page"),
    }


@pytest.mark.parametrize(("server", "number"), [("daphne", signal.SIGTERM), ("uvicorn", signal.SIGHUP)])
def test_an_empty_directory_becomes_a_running_quarter_whose_parts_all_end_by_a_signal(
    tmp_path: Path, server: str, number: signal.Signals
) -> None:
    with running(tmp_path, "--server", server) as run:
        wait_until(lambda: get(run.port, "/readyz") == http.HTTPStatus.OK)
        assert get(run.port, "/") == http.HTTPStatus.OK
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "data" / "run").stat().st_mode & 0o777 == 0o700
        children = run.children()
        assert run.end(number) == 0
        assert psutil.wait_procs(children, timeout=0.1)[1] == []
        assert not (tmp_path / "data" / "run").exists()
        assert run.output.endswith("Quarter has ended.\n")


def test_ctrl_c_in_a_terminal_ends_all_parts_in_order(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        children = run.children()
        os.killpg(run.process.pid, signal.SIGINT)
        assert run.process.wait(END_SECONDS) == 0
        assert psutil.wait_procs(children, timeout=0.1)[1] == []
        assert "Traceback" not in run.output


def test_killing_the_command_itself_leaves_no_process_and_hinders_no_new_start(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        children = run.children()
        assert len(children) == 4
        run.end(signal.SIGKILL)
        assert psutil.wait_procs(children, timeout=END_SECONDS)[1] == []
    with running(tmp_path) as again:
        wait_until(lambda: get(again.port, "/readyz") == http.HTTPStatus.OK)


def test_ctrl_c_during_the_start_leaves_no_process(tmp_path: Path) -> None:
    run = Run(tmp_path, "--port", "0")
    run.wait_for("valkey")
    children = run.children()
    assert run.end(signal.SIGINT) == 0
    assert psutil.wait_procs(children, timeout=0.1)[1] == []


def test_a_part_that_dies_is_started_again_and_the_rest_finds_it(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        dead = [run.child("daphne"), run.child("valkey"), run.child("worker"), run.child("beat")]
        for part in dead:
            part.kill()
        for name in ("server", "valkey", "worker", "beat"):
            run.wait_for(f"{name} ended (SIGKILL); it is started again.")
        wait_until(lambda: len(run.children()) == 4)
        wait_until(lambda: get(run.port, "/readyz") == http.HTTPStatus.OK)
        assert not {part.pid for part in dead} & {part.pid for part in run.children()}


def test_a_second_one_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with running(tmp_path):
        second = tmp_path / "second"
        second.mkdir()
        code, output = refused(second, "--port", "0", "--data-dir", str(tmp_path / "data"))
        assert code == os.EX_UNAVAILABLE
        assert "already running on the data directory" in output


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, output = refused(tmp_path, "--port", str(port))
    assert code == os.EX_UNAVAILABLE
    assert f"Port {port} is taken" in output
    assert f"make run PORT={port + 1}" in output


def test_a_missing_page_names_the_command_that_builds_it(tmp_path: Path) -> None:
    code, output = refused(tmp_path, "--port", "0", page=False)
    assert code == os.EX_CONFIG
    assert "make build" in output


def test_a_data_directory_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, output = refused(tmp_path, "--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert code == os.EX_CONFIG
    assert "can't be written to (Not a directory)" in output


def test_a_host_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    code, output = refused(tmp_path, "--host", "192.0.2.1", "--port", "0")
    assert code == os.EX_CONFIG
    assert "Can't listen on 192.0.2.1:0" in output
