"""The two calls of a login."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from accounts import b64u, identities, keys, limits, login
from accounts.api import Caller, Operation
from accounts.errors import BadKey, BadRequest, LoginFailed

JWK_SCHEMA = {
    "properties": {
        "kty": {"const": "RSA"},
        "e": {"const": "AQAB"},
        "n": {
            "type": "string",
            "description": "384 bytes in b64u, top bit set, odd",
            "pattern": "^[g-z0-9_-][A-Za-z0-9_-]{510}[BDFHJLNPRTVXZbdfhjlnprtvxz13579_]$",
        },
    },
    "required": ["kty", "e", "n"],
    "additionalProperties": False,
}

Jwk = Annotated[dict[str, Any], Meta(description="RSA-3072, public (RFC 7517)", extra_json_schema=JWK_SCHEMA)]
# The lengths are said twice: to Python, `$` is also the place before a line feed at the end.
Text22 = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{21}[AQgw]$", min_length=22, max_length=22)]
Text43 = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", min_length=43, max_length=43)]
Text512 = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{512}$", min_length=512, max_length=512)]


class ChallengeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose possession is to be proved."""

    key: Jwk


class ChallengeAnswer(msgspec.Struct, frozen=True):
    """The challenge's id, and 384 bytes that only the holder of the key can open (PROTOCOL §3)."""

    challenge: Text22
    c: Text512


class LoginRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A challenge's id, and the 32-byte proof that it asked for."""

    challenge: Text22
    proof: Text43


class LoginAnswer(msgspec.Struct, frozen=True):
    """A bearer token for the two websockets, and the user hash that it is bound to."""

    token: Text43
    hash: Text43


def ask(request: ChallengeRequest, caller: Caller) -> ChallengeAnswer:
    """Begin a login."""
    limits.spend_login(caller.address)
    asked = login.challenge(keys.modulus_of(request.key), caller.origin, caller.now)
    return ChallengeAnswer(asked.id, b64u.encode(asked.sealed))


def enter(request: LoginRequest, caller: Caller) -> LoginAnswer:
    """Finish it. The limit of new users is spent before the user comes to be, so that no race passes it."""
    try:
        proof = b64u.decode(request.proof, login.PROOF_BYTES)
    except ValueError as error:
        raise BadRequest from error
    limits.spend_answer(caller.address)
    modulus = login.answer(request.challenge, proof, caller.origin, caller.now)
    if not identities.is_known(modulus):
        limits.spend_new_identity(caller.address)
    admitted = login.admit(modulus, caller.now)
    return LoginAnswer(admitted.token, admitted.hash)


OPERATIONS = (
    Operation(
        "login/challenge", "Ask for a login challenge", ChallengeRequest, ChallengeAnswer, ask, (BadKey,)
    ),
    Operation("login", "Answer it and get a token", LoginRequest, LoginAnswer, enter, (LoginFailed,)),
)
