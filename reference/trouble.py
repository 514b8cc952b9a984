"""What can go wrong for a client, each with a sentence for a person that says what to do.

    Trouble
    ├── BadAddress       the server's address is none
    ├── BadLink          neither a link nor a code
    ├── Unreachable      the server does not answer, or not as Quarter does
    ├── Refused          the server refuses, by a code of the wire; perhaps until later
    ├── Elsewhere        another client of the same identity has taken over
    ├── Unusable         what is kept can't be opened or written (see store)
    └── Over             the conversation is over, or never came to be
        ├── Declined     the other one said no
        ├── LinkUsed     somebody was faster
        ├── Unknown      nobody has this code
        ├── Expired      nobody said anything for too long, or nobody came
        ├── Left         one of the two left
        ├── Erased       one of the two erased everything
        ├── Removed      an operator ended it
        └── Broken       it can't be trusted any more; `reason` says why

Each has an exit code for the command line.
"""

from typing import ClassVar


class Trouble(Exception):
    """The base; `str()` is the sentence."""

    exit_code: ClassVar[int] = 1
    sentence: ClassVar[str] = "Something went wrong."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)


class BadAddress(Trouble):
    exit_code = 2
    sentence = (
        "This is not a server's address. It looks like https://quarter.example or http://localhost:8000."
    )


class BadLink(Trouble):
    exit_code = 2
    sentence = "This is neither a link nor a code. Copy it whole, from https:// to the end."


class Unreachable(Trouble):
    exit_code = 3

    def __init__(self, why: str) -> None:
        super().__init__(f"The server can't be reached ({why}). Is it running, and is --server right?")


class Refused(Trouble):
    exit_code = 3

    def __init__(self, code: str, retry_after: float | None) -> None:
        later = f" Try again in {max(1, round(retry_after))} s." if retry_after is not None else ""
        super().__init__(f"The server refused ({code}).{later}")
        self.code, self.retry_after = code, retry_after


class Elsewhere(Trouble):
    exit_code = 3
    sentence = "Another client with the same identity has taken over. Use one at a time."


class Unusable(Trouble):
    exit_code = 9


class Over(Trouble):
    sentence = "The conversation is over."


class Declined(Over):
    exit_code = 4
    sentence = "Your request was declined."


class LinkUsed(Over):
    exit_code = 5
    sentence = "This link has been used already. Ask for a new one, and say so if it was not you who used it."


class Unknown(Over):
    exit_code = 6
    sentence = "Nobody has this code at this server (any more). Ask for a new link."


class Expired(Over):
    exit_code = 7
    sentence = "Its time is over: too long without a message. Begin a new one."


class Left(Over):
    exit_code = 0
    sentence = "The conversation has ended, and everything of it is deleted."


class Erased(Over):
    exit_code = 0
    sentence = "The conversation was erased."


class Removed(Over):
    exit_code = 8
    sentence = "The server says that the conversation is no more."


class Broken(Over):
    exit_code = 8

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This conversation can't be trusted any more: {reason}"
            " Nothing more is sent. Begin a new one, over a channel that you trust."
        )
        self.reason = reason
