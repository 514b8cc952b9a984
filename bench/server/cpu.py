"""What processes have used: CPU time and memory."""

import contextlib
import os
from collections.abc import Mapping, Sequence

import psutil

#: The names of the parts → the ids of their first processes.
Families = Mapping[str, Sequence[int]]


class Meter:
    """Counts from now on, and the process that it is in too, as "generator"."""

    def __init__(self, families: Families) -> None:
        self._families = {**families, "generator": [os.getpid()]}
        self._before = self._spent()

    def used(self) -> dict[str, float]:
        """CPU seconds of each family, by the kernel's clock (10 ms); children that have ended count."""
        return {name: spent - self._before[name] for name, spent in self._spent().items()}

    def _spent(self) -> dict[str, float]:
        return {name: sum(map(of_family, pids)) for name, pids in self._families.items()}


def of_family(pid: int) -> float:
    """CPU seconds of a process and its children since they began."""
    first = psutil.Process(pid)
    times = first.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system) + sum(
        _of_child(child) for child in first.children(recursive=True)
    )


def _of_child(child: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = child.cpu_times()
        return float(times.user + times.system)
    return 0.0


def resident_bytes(pid: int) -> int:
    """The memory that a process holds now (RSS)."""
    return int(psutil.Process(pid).memory_info().rss)
