"""Telling live pages that sessions ended, from wherever that was decided.

In a server process the node tells its own receivers and owes hints to the others; in a command or a worker
hints are published at once. Either way it is a courtesy: pages also find out by themselves.
"""

from collections.abc import Callable, Sequence

import structlog
from asgiref.sync import async_to_sync

from chat import hints

log = structlog.get_logger("quarter.chat")

Endings = Sequence[tuple[str, str, str]]  # user hash, session, why

_node: Callable[[Endings], None] | None = None


def use(node: Callable[[Endings], None] | None) -> None:
    """From now on tell endings through this (thread-safe) function; None: publish them."""
    global _node
    _node = node


def ended(endings: Endings) -> None:
    """Tell that these sessions ended. Call it after COMMIT; it raises nothing."""
    if not endings:
        return
    if _node is not None:
        _node(endings)
        return
    try:
        async_to_sync(hints.say_from_outside)(endings)
    except Exception as error:
        log.error("layer_lost", error=type(error).__name__)
