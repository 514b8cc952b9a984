"""Flow control of one receive socket: what was sent and not yet taken. Pure."""

from collections import deque

from django.conf import settings


class Window:
    """At most LIMITS.window_items items and window_bytes bytes are under way; then the server waits."""

    def __init__(self) -> None:
        self._limits = settings.LIMITS
        self._under_way: dict[str, deque[tuple[int, int]]] = {}
        self.items = 0
        self.bytes = 0

    @property
    def room(self) -> int:
        """How many items may still be sent, their bytes aside."""
        return max(0, self._limits.window_items - self.items)

    def room_for(self, size: int) -> int:
        """How many items of `size` bytes it is worth to look at: at least one while there is room."""
        by_bytes = (self._limits.window_bytes - self.bytes) // max(size, 1)
        return min(self.room, max(1, by_bytes))

    def fits(self, size: int) -> bool:
        """Whether one more item of `size` bytes may be sent. One alone always may."""
        limits = self._limits
        return not self.items or (
            self.items < limits.window_items and self.bytes + size <= limits.window_bytes
        )

    def send(self, session: str, seq: int, size: int) -> None:
        """Count an item as under way."""
        self._under_way.setdefault(session, deque()).append((seq, size))
        self.items += 1
        self.bytes += size

    def take(self, session: str, seq: int) -> bool:
        """All items of the session up to seq were taken; whether that was any news."""
        waiting = self._under_way.get(session)
        before = self.items
        while waiting and waiting[0][0] <= seq:
            self._drop(waiting.popleft())
        if waiting is not None and not waiting:
            del self._under_way[session]
        return self.items < before

    def forget(self, session: str) -> None:
        """Nothing of this session is under way any more."""
        for item in self._under_way.pop(session, ()):
            self._drop(item)

    def _drop(self, item: tuple[int, int]) -> None:
        self.items -= 1
        self.bytes -= item[1]
