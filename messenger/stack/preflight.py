"""What must be so before anything is started; each check refuses with a remedy."""

import errno
import fcntl
import os
import resource
import socket
import tempfile
from pathlib import Path

from messenger.stack import errors

# Far above what one machine serves, and not the millions that some programs would walk through.
FILES_MOST = 65536
#: The system hangs up on who takes nothing of what was written for so long. A server's own close would wait
#: behind what is not taken: uvicorn's for ever, and so would its pings.
UNREAD_SECONDS = 30
#: As many as Linux lets wait to be accepted (net.core.somaxconn): when a server comes back, so do all pages,
#: and who finds no place tries again after 1, 3, 7 … seconds.
BACKLOG = 4096


def raise_file_limit() -> None:
    """Let this process and its children open FILES_MOST files, or as many as the system allows.

    Each page takes two; many systems begin with 1,024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_MOST if hard == resource.RLIM_INFINITY else min(hard, FILES_MOST)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def reserve_files() -> None:
    """Let the system's table of this process's open files be as large as it may become.

    Linux doubles it when it is full, and where threads run that halts the process: for 10 to 150 ms, with
    256, 512, 1,024 … files open. To be called before there are threads.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_MOST if soft == resource.RLIM_INFINITY else min(soft, FILES_MOST)
    with open(os.devnull) as some_file:
        os.close(fcntl.fcntl(some_file, fcntl.F_DUPFD, most - 1))


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens on host (IPv4) and port (0: a free one).

    The stack holds it for its whole life and hands it to the server: while a dead server is being
    started anew, browsers wait in the backlog instead of being refused.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; what is accepted inherits it
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise _refused(host, port, error) from error
    listener.listen(BACKLOG)
    return listener


def _refused(host: str, port: int, error: Exception) -> errors.CannotRun:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return errors.PortTaken(
            f"Port {port} is taken: another program listens on {host}:{port}.",
            f"End that program, or choose another port: make run PORT={port + 1}",
        )
    if number in (errno.EACCES, errno.EPERM):
        return errors.PortTaken(f"Port {port} is reserved for root.", "Choose a port above 1023.")
    return errors.BadAddress(
        f"Can't listen on {host}:{port}.",
        "Give --host an IPv4 address of this machine and --port 0 to 65535.",
    )


def require_page(index: Path) -> None:
    """Refuses when the built page is not there."""
    if not index.is_file():
        raise errors.PageMissing("The page has not been built yet.", "Build it with: make build")


def make_data_dir(directory: Path) -> None:
    """Makes the directory (mode 0700) if it is missing, and proves that it can be written to."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise errors.DataDirRefused(
            f"The data directory {directory} can't be written to ({error.strerror}).",
            "Make it writable for this user, or name another one: --data-dir or QUARTER_DATA_DIR",
        ) from error
