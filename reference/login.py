"""Logging in: two calls over HTTP, and a bearer token for the websockets (PROTOCOL §3, docs/openapi.json)."""

import asyncio
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from reference import b64u, identity, trouble
from reference.errors import ProtocolError
from reference.identity import Identity

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_MAX = 65_536
PORTS = {"http": 80, "https": 443}

T = TypeVar("T")


class _Challenge(msgspec.Struct):
    challenge: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22}$")]
    c: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{512}$")]


class _Admission(msgspec.Struct):
    token: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}$")]


class _Problem(msgspec.Struct):
    code: str
    retry_after: float | None


class _Refusal(msgspec.Struct):
    error: _Problem


def origin_of(url: str) -> str:
    """The origin of a server's address as `URL.origin` gives it: "scheme://host[:port]"; BadAddress."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        raise trouble.BadAddress from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise trouble.BadAddress
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in (None, PORTS[parts.scheme]) else f":{port}")


async def log_in(origin: str, who: Identity) -> str:
    """A fresh token (43 characters) for this identity; Unreachable, Refused (with a time to come back)."""
    return await asyncio.to_thread(_log_in, origin, who)


def _log_in(origin: str, who: Identity) -> str:
    jwk = {"kty": "RSA", "e": "AQAB", "n": b64u.encode(who.modulus)}
    asked = _call(origin, "/api/login/challenge", {"key": jwk}, _Challenge)
    proof = identity.prove_login(who, origin, _bytes(asked.c))
    answer = {"challenge": asked.challenge, "proof": b64u.encode(proof)}
    return _call(origin, "/api/login", answer, _Admission).token


def _bytes(text: str) -> bytes:
    try:
        return b64u.decode(text)
    except ProtocolError:
        raise trouble.Unreachable("gave an answer that is none") from None


def _call(origin: str, path: str, body: object, kind: type[T]) -> T:
    request = urllib.request.Request(  # noqa: S310 the scheme was checked by origin_of
        origin + path, msgspec.json.encode(body), {"Content-Type": "application/json", "Origin": origin}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return msgspec.json.decode(response.read(ANSWER_BYTES_MAX), type=kind)
    except urllib.error.HTTPError as error:
        raise _refused(error) from None
    except urllib.error.URLError as error:
        raise trouble.Unreachable(_why(error.reason)) from None
    except (OSError, HTTPException) as error:
        raise trouble.Unreachable(_why(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise trouble.Unreachable("gave an answer that is none") from None


def _refused(error: urllib.error.HTTPError) -> trouble.Trouble:
    with error:
        try:
            problem = msgspec.json.decode(error.read(ANSWER_BYTES_MAX), type=_Refusal).error
        except (msgspec.DecodeError, UnicodeDecodeError, OSError, HTTPException):
            return trouble.Unreachable(f"answered with HTTP {error.code}")
    return trouble.Refused(problem.code, problem.retry_after)


def _why(reason: object) -> str:
    return (isinstance(reason, OSError) and reason.strerror) or str(reason) or "no answer"
