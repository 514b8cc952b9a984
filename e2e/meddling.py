"""A server that means ill: what it tells one person's page is altered on the way, or made up.

The page's own frames pass unchanged. A frame is a dictionary, as `chat.wire` describes it.
"""

import re
from collections.abc import Callable

import msgspec
from playwright.sync_api import WebSocketRoute

from e2e.network import Frame, frames_of
from e2e.person import Person


class Meddler:
    """Stands between one person's page and the server from the next load on."""

    def __init__(self, person: Person) -> None:
        #: What the page gets in a frame's place: nothing, that frame, another one, or several.
        self.alter: Callable[[Frame], list[Frame]] = lambda frame: [frame]
        #: The items that the true server sent.
        self.items: list[Frame] = []
        self._receive: WebSocketRoute | None = None
        person.context.route_web_socket(re.compile("/ws/"), self._open)

    def tells(self, frame: Frame) -> None:
        """The page gets a frame of our own on its receive socket."""
        assert self._receive is not None
        self._receive.send(msgspec.msgpack.encode(frame))

    def alters(self, kind: str, alter: Callable[[Frame], list[Frame]]) -> None:
        """Alters frames of this type, or items of this kind, and no others."""
        self.alter = lambda frame: alter(frame) if kind in (frame["t"], frame.get("kind")) else [frame]

    def _open(self, page: WebSocketRoute) -> None:
        if page.url.endswith("/ws/receive/"):
            self._receive = page
        page.connect_to_server().on_message(lambda message: self._pass(page, message))

    def _pass(self, page: WebSocketRoute, message: str | bytes) -> None:
        for frame in frames_of(message):
            if frame["t"] == "item":
                self.items.append(frame)
            for told in self.alter(frame):
                page.send(msgspec.msgpack.encode(told))


def flipped(frame: Frame, member: str, at: int) -> Frame:
    """The frame with the top bit of one byte of a member changed."""
    changed = bytearray(frame[member])
    changed[at] ^= 0x80
    return {**frame, member: bytes(changed)}
