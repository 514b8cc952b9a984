"""How often the fuzz tests try, and what they watch meanwhile.

FUZZ_RUNS is the number of inputs of each property; without it each has a few, for `make test`. A failure
prints the input, made as small as it can be, and what replays it.
"""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from hypothesis import HealthCheck, settings

from messenger import logs

RUNS = int(os.environ.get("FUZZ_RUNS", "0"))


def runs(few: int) -> settings:
    """Hypothesis's settings: so few examples, or FUZZ_RUNS of them."""
    return settings(
        max_examples=RUNS or few,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


class Trouble(logging.Handler):
    """Collects what the server logs as an error, or with a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.addFilter(logs.Blame())  # as our own handler has it
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.records.append(f"{record.name}: {record.msg} {record.exc_info or ''}")


@contextmanager
def no_trouble() -> Iterator[None]:
    """The block logs no error and no traceback; AssertionError."""
    trouble = Trouble()
    root = logging.getLogger()
    root.addHandler(trouble)
    try:
        yield
    finally:
        root.removeHandler(trouble)
    assert trouble.records == []


def digest() -> str:
    """One hash over every row of every table."""
    whole = hashlib.sha256()
    for model in apps.get_models():
        for row in model._default_manager.order_by("pk").values_list():
            whole.update(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]).encode())
    return whole.hexdigest()
