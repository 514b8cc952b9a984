"""Which core is whose: a process that is measured must not share one with what measures it."""

import contextlib
import os
from collections.abc import Iterator

#: Of the cores that we began with the first is everybody's, the last the server's; of one core they share it.
OTHERS_CORE, *_, SERVERS_CORE = 2 * sorted(os.sched_getaffinity(0))


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started meanwhile runs on this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
