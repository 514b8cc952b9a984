"""Every refusal of the chat, each with one stable code.

    ChatError
    ├── Refused         permanent: the same bytes will be refused again
    │   ├── BadFrame        bad_frame        not a frame of this wire
    │   ├── NotLoggedIn     not_logged_in    no valid token, or the identity is gone
    │   ├── NotFound        not_found        nobody has this hash
    │   ├── NotYours        not_yours        the other side of the session may do this, or nobody
    │   ├── Ended           ended            there is no such session of yours, or not any more
    │   ├── Conflict        conflict         other bytes stand at this place already
    │   ├── BadEnvelope     bad_envelope     the ciphertext's public header is wrong
    │   └── TooBig          too_big          longer than allowed
    └── Later           not permanent: may succeed later
        ├── Gap             gap              n is above the next one
        ├── NotOpen         not_open         the offer is not answered yet
        ├── TooFast         too_fast         with retry_after
        ├── Full            full             a limit is reached; with retry_after
        └── Unavailable     unavailable      the database has trouble; with retry_after

`Ended` is one answer for "never was", "not yours" and "over", so that nobody learns which sessions exist.
"""


class ChatError(Exception):
    """Something was refused. `retry_after` is in seconds."""

    code = "error"
    permanent = True
    retry_after: float | None = None

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__(self.code)
        if retry_after is not None:
            self.retry_after = retry_after


class Refused(ChatError):
    """The same bytes will be refused again."""


class Later(ChatError):
    """The same bytes may be taken later."""

    permanent = False


class BadFrame(Refused):
    code = "bad_frame"


class NotLoggedIn(Refused):
    code = "not_logged_in"


class NotFound(Refused):
    code = "not_found"


class NotYours(Refused):
    code = "not_yours"


class Ended(Refused):
    code = "ended"


class Conflict(Refused):
    code = "conflict"


class BadEnvelope(Refused):
    code = "bad_envelope"


class TooBig(Refused):
    code = "too_big"


class Gap(Later):
    code = "gap"


class NotOpen(Later):
    code = "not_open"


class TooFast(Later):
    code = "too_fast"
    retry_after = 1.0


class Full(Later):
    """A limit is reached; whoever says so says when it may be otherwise."""

    code = "full"
    retry_after: float

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after)


class Unavailable(Later):
    code = "unavailable"
    retry_after = 1.0
