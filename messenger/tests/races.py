"""Two transactions at once, in an order that a test chooses."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from django.db import connection

SECONDS = 60


def begin(pool: Executor, function: Callable[[], Any]) -> "Future[Any]":
    """Start `function` in another thread; returns when it has read once, or waits for a lock of ours."""
    begun = threading.Event()

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("BEGIN") or "FOR UPDATE" in sql:
            begun.set()
        result = execute(sql, *rest)
        begun.set()
        return result

    def run() -> Any:
        try:
            with connection.execute_wrapper(note):
                return function()
        finally:
            connection.close()

    future = pool.submit(run)
    assert begun.wait(SECONDS)
    return future
