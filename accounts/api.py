"""The shell around every call of the HTTP API: POST, JSON in and out, a page of ours, errors with codes.

A call is declared once, as an Operation; the paths (urls.py) and docs/openapi.json are made from the
declarations. No call reads or sets a cookie, so there is nothing that another site could forge; the exact
Origin and the JSON content type are asked for all the same.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from accounts.errors import AccountsError, BadRequest, ForbiddenOrigin, TooBig, TooFast, Unavailable
from messenger import addresses, origins

logger: structlog.stdlib.BoundLogger = structlog.get_logger("quarter.api")
JSON = "application/json"
UNAVAILABLE_SECONDS = 1.0
EVERYWHERE: tuple[type[AccountsError], ...] = (BadRequest, ForbiddenOrigin, TooBig, TooFast, Unavailable)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and when: the (allowed) origin of the page, the client's address, the time."""

    origin: str
    address: str
    now: datetime


@dataclass(frozen=True)
class Operation:
    """One call: its path below /api/, what it is for, the shapes of both bodies, and its own errors."""

    path: str
    summary: str
    request: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    handle: Callable[[Any, Caller], msgspec.Struct]
    errors: Sequence[type[AccountsError]] = field(default=())

    @property
    def all_errors(self) -> tuple[type[AccountsError], ...]:
        return (*EVERYWHERE, *self.errors)


class Problem(msgspec.Struct, frozen=True):
    """A code that stays, a sentence for a person, and the seconds after which to try again."""

    code: str
    message: str
    retry_after: float | None


class ProblemAnswer(msgspec.Struct, frozen=True):
    """The body of every answer that is not 200."""

    error: Problem


def url_patterns(operations: Sequence[Operation]) -> list[URLPattern]:
    """The paths of these operations."""
    return [path(each.path, view_of(each)) for each in operations]


def view_of(operation: Operation) -> Callable[[HttpRequest], HttpResponse]:
    """The Django view: parse, one call into the domain, one answer."""
    decoder = msgspec.json.Decoder(operation.request)

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        try:
            caller = _caller_of(request)
            return _answer(operation.handle(_parse(request, decoder), caller))
        except AccountsError as error:
            return refuse(error)
        except (OperationalError, InterfaceError):
            logger.warning("database unavailable", exc_info=True)
            return refuse(Unavailable(UNAVAILABLE_SECONDS))

    return view


def refuse(error: AccountsError) -> HttpResponse:
    """The one place where an error becomes an answer."""
    problem = Problem(error.code, error.message, error.retry_after)
    response = _answer(ProblemAnswer(problem), error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(error.retry_after))
    return response


def _caller_of(request: HttpRequest) -> Caller:
    scope = scope_of(request)
    origin = origins.of_scope(scope)
    if origin is None:
        raise ForbiddenOrigin
    return Caller(origin, addresses.of_scope(scope), datetime.now(UTC))


def scope_of(request: HttpRequest) -> dict[str, Any]:
    """The ASGI scope that the request came with."""
    scope: dict[str, Any] = getattr(request, "scope")  # noqa: B009  only ASGI's requests have it
    return scope


def _parse(request: HttpRequest, decoder: msgspec.json.Decoder[Any]) -> Any:
    if request.content_type != JSON:
        raise BadRequest
    try:
        return decoder.decode(request.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest from error


def _answer(body: msgspec.Struct, status: int = 200) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type=JSON, status=status)
