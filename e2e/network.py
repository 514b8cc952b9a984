"""The network between a page and the server: cut, or gone silent, at a frame that a test names.

`cut` closes every socket, and refuses new ones until the network is back. `silent` is what a page sees of a
lost route or a suspended phone: sockets that were open stay so and carry nothing any more, for good; new
ones wait for the network.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from playwright.sync_api import WebSocketRoute

from e2e.person import WAIT_MS, Person

How = Literal["cut", "silent"]
Frame = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """When the network breaks: at the next frame of this kind, before or after it has passed."""

    kind: str
    after: bool = False


@dataclass(eq=False)
class Line:
    """One socket of the page; `server` is its other end once it is connected."""

    page: WebSocketRoute
    server: WebSocketRoute | None = None
    dead: bool = False
    held: list[bytes] = field(default_factory=list)


def frames_of(message: str | bytes) -> list[Frame]:
    """The frames of one message: items that came together are as good as each alone."""
    assert isinstance(message, bytes)
    frame: Frame = msgspec.msgpack.decode(message)
    return frame["items"] if frame["t"] == "items" else [frame]


class Network:
    """Stands between one person's page and the server from the next load on."""

    def __init__(self, person: Person) -> None:
        self.down: How | None = None
        self.rewrite: Callable[[Frame], Frame] = lambda frame: frame
        self.rewrite_sent: Callable[[Frame], Frame] = lambda frame: frame
        self._breaks: tuple[How, Moment] | None = None
        self._lines: list[Line] = []
        self._person = person
        person.context.route_web_socket(re.compile("/ws/"), self._open)

    def breaks(self, how: How, moment: Moment | None = None) -> None:
        """At that moment, or now."""
        if moment is None:
            self._break(how)
        else:
            self._breaks = how, moment

    def deafens(self) -> None:
        """The receive sockets that are open die alone, without a word; new ones connect."""
        for line in self._lines:
            line.dead = line.dead or line.page.url.endswith("/ws/receive/")

    def waits_until_down(self) -> None:
        for _ in range(WAIT_MS // 20):
            if self.down is not None:
                return
            self._person.page.wait_for_timeout(20)
        raise AssertionError("the network never came to that moment")

    def is_back(self) -> None:
        """New sockets connect, and those that waited do."""
        self.down = None
        for line in self._lines:
            if line.server is None and not line.dead:
                self._connect(line)

    def _open(self, page: WebSocketRoute) -> None:
        if self.down == "cut":
            page.close()
            return
        line = Line(page)
        self._lines.append(line)
        page.on_message(lambda message: self._pass(line, message, self._to_server))
        if self.down is None:
            self._connect(line)

    def _connect(self, line: Line) -> None:
        line.server = line.page.connect_to_server()
        line.server.on_message(lambda message: self._pass(line, message, self._to_page))
        for message in line.held:
            line.server.send(message)

    def _pass(self, line: Line, message: str | bytes, on: Callable[[Line, Frame], None]) -> None:
        for frame in frames_of(message):
            if not line.dead:
                self._pass_one(line, frame, on)

    def _pass_one(self, line: Line, frame: Frame, on: Callable[[Line, Frame], None]) -> None:
        if self._breaks is None or self._breaks[1].kind != frame["t"]:
            on(line, frame)
            return
        (how, moment), self._breaks = self._breaks, None
        if moment.after:
            on(line, frame)
        self._break(how)

    def _to_server(self, line: Line, frame: Frame) -> None:
        message = msgspec.msgpack.encode(self.rewrite_sent(frame))
        if line.server is None:
            line.held.append(message)
        else:
            line.server.send(message)

    def _to_page(self, line: Line, frame: Frame) -> None:
        line.page.send(msgspec.msgpack.encode(self.rewrite(frame)))

    def _break(self, how: How) -> None:
        self.down = how
        for line in self._lines:
            line.dead = True
            if how == "cut":
                line.page.close()
                if line.server is not None:
                    line.server.close()
        self._lines = [line for line in self._lines if how == "silent"]
