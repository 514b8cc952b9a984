"""Who talks in a measurement, whatever server it is, and how the load is given."""

import abc
from collections.abc import Callable


class Person(abc.ABC):
    """One side of a conversation. Messages are made before the clock starts."""

    peer: "Person"

    def __init__(self) -> None:
        #: How many messages were said, and how many of them the server has acknowledged.
        self.said = self.acknowledged = 0
        #: Called with how many messages of the peer's have just come.
        self.heard: Callable[[int], None] = lambda count: None

    @abc.abstractmethod
    async def enter(self, index: int) -> None:
        """Connect, as the index-th person of this process, and wait until the server is ready."""

    @abc.abstractmethod
    def say(self, count: int) -> None:
        """Send so many messages to the peer, at once."""

    @abc.abstractmethod
    def leave(self) -> None:
        """Hang up."""
