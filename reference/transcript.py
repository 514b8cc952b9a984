"""The lines of a transcript: those contents that a person sees. No I/O."""

from dataclasses import dataclass, field
from typing import Literal

from reference.clock import Moment
from reference.content import Name, Stored, Text, Unknown, Unreadable

Kind = Literal["text", "unknown", "unreadable"]


@dataclass(frozen=True, slots=True)
class Message:
    """One line. `at` is its sender's clock, in seconds; `place` orders the lines of this side.

    `kind` says what `text` holds: the text, the type that this version does not know, or nothing.
    """

    sender: int
    n: int
    mine: bool
    kind: Kind
    text: str = field(repr=False)
    at: float
    place: int
    reply: Name | None = None


def line(name: Name, mine: bool, content: Stored, place: int, now: Moment) -> Message | None:
    """The line of a content, if it is one. What can't be read has no time of its own, and gets this one."""
    match content:
        case Text():
            at = content.at / 1000
            return Message(name.sender, name.n, mine, "text", content.text, at, place, content.reply)
        case Unknown(t="read"):
            return None
        case Unknown():
            return Message(name.sender, name.n, mine, "unknown", content.t, content.at / 1000, place)
        case Unreadable():
            return Message(name.sender, name.n, mine, "unreadable", "", now.wall, place)
        case _:
            return None


def ordered(messages: tuple[Message, ...], more: Message) -> tuple[Message, ...]:
    """The lines with one more, in the order of their places."""
    if not messages or messages[-1].place < more.place:
        return (*messages, more)
    return tuple(sorted((*messages, more), key=lambda each: each.place))
