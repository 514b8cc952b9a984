"""The process that gives the load: apart from us it runs what it is asked for (rounds, page_rounds)."""

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from bench.server.cores import OTHERS_CORE
from bench.server.postgres import PR_SET_PDEATHSIG
from messenger.stack import preflight

P = ParamSpec("P")
T = TypeVar("T")


class Generator:
    """A process apart. `ask(function, *args)` calls there; `ask.soon` gives a future of it."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def __call__(self, function: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        return self.soon(function, *args, **more).result()

    def soon(self, function: Callable[P, T], *args: P.args, **more: P.kwargs) -> Future[T]:
        return self._pool.submit(function, *args, **more)


@contextlib.contextmanager
def generator() -> Iterator[Generator]:
    """One on the others' core; it may open as many files as we."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _settle, (OTHERS_CORE,)) as pool:
        yield Generator(pool)


def _settle(core: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, {core})
    raise_file_limit()


def raise_file_limit() -> int:
    """Opens this process's (and its children's) limit of open files as `make run` does; what it is then."""
    preflight.raise_file_limit()
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
