"""What can go wrong with who someone is.

    AccountsError
    ├── BadRequest        bad_request   400   the body is not what the API documents
    ├── BadKey            bad_key       400   a key that docs/PROTOCOL.md §3 refuses
    ├── LoginFailed       login_failed  401   one and the same for every failed login
    ├── NotLoggedIn       not_logged_in 401   no identity has this token
    ├── ForbiddenOrigin   forbidden_origin 403
    ├── TooBig            too_big       413
    ├── TooFast           too_fast      429   `retry_after` says when to come back
    └── Unavailable       unavailable   503   the database does not answer; `retry_after` 1

Each has a code that stays, an HTTP status, a sentence for a person, and whether the same call may do better
later.
"""

from typing import ClassVar


class AccountsError(Exception):
    """Base of all; never raised itself."""

    code: ClassVar[str]
    status: ClassVar[int]
    message: ClassVar[str]
    permanent: ClassVar[bool] = True

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__(self.code)
        self.retry_after = retry_after


class BadRequest(AccountsError):
    code = "bad_request"
    status = 400
    message = "This request is not one that Quarter knows."


class BadKey(AccountsError):
    code = "bad_key"
    status = 400
    message = "This is not a key that Quarter accepts."


class LoginFailed(AccountsError):
    code = "login_failed"
    status = 401
    message = "The login did not succeed. Please try again."
    permanent = False


class NotLoggedIn(AccountsError):
    code = "not_logged_in"
    status = 401
    message = "Please log in again."


class ForbiddenOrigin(AccountsError):
    code = "forbidden_origin"
    status = 403
    message = "This page may not speak for Quarter."


class TooBig(AccountsError):
    code = "too_big"
    status = 413
    message = "This request is too big."


class TooFast(AccountsError):
    code = "too_fast"
    status = 429
    message = "That was a little fast. Please wait a moment."
    permanent = False


class Unavailable(AccountsError):
    code = "unavailable"
    status = 503
    message = "Quarter is not available right now. Please try again in a moment."
    permanent = False
