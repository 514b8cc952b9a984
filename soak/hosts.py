"""Two hosts on one machine, with a network between them that loses packets, and a disk that can be full.

Linux and root only: network namespaces (`ip netns`), a veth pair, nftables, tmpfs.
"""

import contextlib
import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNET = 0x40000000
SERVER_ADDRESS, PEOPLE_ADDRESS = "10.77.0.1", "10.77.0.2"
BALLAST_BYTES = 1 << 20


class Missing(Exception):
    """Something that this needs is not here; the text says what to do."""


@dataclass(frozen=True)
class Host:
    """Where the servers are: how a command is run there, and the address that they listen on."""

    prefix: Sequence[str]
    address: str


HERE = Host((), "127.0.0.1")


def require(*commands: str) -> None:
    """Raise Missing unless we are root and these commands are there."""
    if os.getuid() != 0:
        raise Missing("This makes networks and disks of its own: run it as root.")
    for command in commands:
        if shutil.which(command) is None:
            raise Missing(f"{command} is missing (Debian: apt-get install iproute2 nftables).")


@contextlib.contextmanager
def two_hosts(loss_percent: int) -> Iterator[Host]:
    """Moves this process to a host of its own, for good; what goes to the servers' loses packets."""
    require("ip", "nft")
    servers, people = (f"soak-{os.getpid()}-{name}" for name in ("servers", "people"))
    try:
        for name in (servers, people):
            _run("ip", "netns", "add", name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        _run("ip", "-n", servers, "link", "add", "wire", "type", "veth", "peer", "wire", "netns", people)
        for name, address in ((servers, SERVER_ADDRESS), (people, PEOPLE_ADDRESS)):
            _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "wire")
            _run("ip", "-n", name, "link", "set", "wire", "up")
        lose = f"iifname wire numgen random mod 100 < {loss_percent} drop"
        for name in (servers, people):
            in_there = ("ip", "netns", "exec", name, "nft")
            _run(*in_there, "add table inet soak")
            _run(*in_there, "add chain inet soak input { type filter hook input priority 0; }")
            _run(*in_there, f"add rule inet soak input {lose}")
        _move_to(people)
        yield Host(("ip", "netns", "exec", servers), SERVER_ADDRESS)
    finally:
        for name in (servers, people):
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def small_disk(directory: Path, mebibytes: int) -> Iterator["Disk"]:
    """A disk of so many MiB, mounted on the directory meanwhile."""
    require("mount", "umount")
    _run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "soak", str(directory))
    try:
        yield Disk(directory)
    finally:
        _run("umount", "--lazy", str(directory))


class Disk:
    """A mounted disk that can be filled and made read-only."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ballast = directory / "ballast"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._ballast.open("wb", buffering=0) as file:
            size = BALLAST_BYTES
            while size:
                try:
                    file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def clear(self) -> None:
        """Free what `fill` took."""
        self._ballast.unlink()

    def freeze(self) -> bool:
        """Make it read-only; False where somebody holds a file of it open for writing."""
        command = ["mount", "-o", "remount,ro", str(self._directory)]
        return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0

    def thaw(self) -> None:
        """Make it writable again."""
        _run("mount", "-o", "remount,rw", str(self._directory))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"{' '.join(command)}: {done.stderr.strip()}")


def _move_to(namespace: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
