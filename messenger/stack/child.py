"""One child process that can't outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def start(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    directory: Path | None = None,
    fds: Sequence[int] = (),
    quiet: bool = False,
) -> subprocess.Popen[bytes]:
    """Starts argv in a session of its own, so that a terminal's Ctrl-C reaches only us.

    The kernel kills it when we die, however we die (PR_SET_PDEATHSIG, Linux). Call it from the main
    thread: the kernel means the thread that started the child. `quiet` throws its output away.
    """
    output = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(  # noqa: S603  argv comes from parts.py
        argv,
        env=dict(env),
        cwd=directory,
        pass_fds=fds,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=_die_with(os.getpid()),
    )


def _die_with(parent: int) -> Callable[[], None]:
    def in_the_child() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before prctl
            os._exit(1)

    return in_the_child


def send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signals the child's whole group, also what is left of it after the child itself."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
