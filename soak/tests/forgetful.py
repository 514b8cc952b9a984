"""A server that breaks R3: to who comes back it gives not all that came meanwhile. The soak must notice."""

from collections.abc import Mapping

from messenger.asgi import application  # first, as it sets Django up

from chat import drain  # isort: skip

__all__ = ["application"]

SKIPPED_ITEMS = 4

_open, _resync = drain.Drain.open, drain.Drain.resync


def _later(cursors: Mapping[str, int]) -> Mapping[str, int]:
    return {session: seq + SKIPPED_ITEMS for session, seq in cursors.items()}


def _forgetful_open(self: drain.Drain, cursors: Mapping[str, int]) -> None:
    _open(self, _later(cursors))


def _forgetful_resync(self: drain.Drain, cursors: Mapping[str, int]) -> None:
    _resync(self, _later(cursors))


drain.Drain.open = _forgetful_open  # type: ignore[method-assign]
drain.Drain.resync = _forgetful_resync  # type: ignore[method-assign]
