"""Database connections of our own threads.

Each thread of an executor holds one connection for its life (Django's are per thread). A connection that
broke is closed and the work is done once more on a new one: everything that runs here changes nothing when it
is done twice.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")


def with_connection(function: Callable[..., T], *args: Any) -> T:
    """function(*args), on a connection that works if there is one."""
    try:
        return function(*args)
    except (OperationalError, InterfaceError):
        if _works():
            raise
        connection.close()
        return function(*args)


def _works() -> bool:
    return connection.connection is not None and connection.is_usable()


def close_all(executor: ThreadPoolExecutor, threads: int) -> None:
    """Close the connections of all `threads` of an executor, then end it. Blocks for what still runs."""
    together = threading.Barrier(threads)

    def close() -> None:
        together.wait(10)  # so that each thread gets one of these
        connection.close()

    for done in [executor.submit(close) for _ in range(threads)]:
        done.result()
    executor.shutdown()
