"""The files of docs/vectors, and what is in them as values of ours."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from reference.content import (
    Ack,
    Bye,
    Hello,
    Name,
    Sendable,
    Stored,
    Text,
    Timer,
    Typing,
    Unknown,
    Unreadable,
    to_map,
)
from reference.identity import Identity
from reference.state import Chain, Pending, State, Turn

DIRECTORY = Path(__file__).parents[2] / "docs" / "vectors"

Vector = dict[str, Any]


@cache
def load(name: str) -> Vector:
    """A file, by its name; its format must be the one that is understood here."""
    file: Vector = json.loads((DIRECTORY / name).read_text(encoding="utf-8"))
    assert file["format"] == 1
    return file


@cache
def identity(pkcs8: str) -> Identity:
    """A person's identity."""
    return Identity.from_pkcs8(bytes.fromhex(pkcs8))


def unhex(text: str | None) -> bytes | None:
    """Bytes, or None for null."""
    return None if text is None else bytes.fromhex(text)


def state(vector: Vector) -> State:
    """A side's state."""
    return State(
        role=("initiator", "responder")[vector["role"]],
        session_id=bytes.fromhex(vector["session_id"]),
        peer_modulus=bytes.fromhex(vector["peer_modulus"]),
        root=bytes.fromhex(vector["root"]),
        turn=_turn(vector["turn"]),
        sending=_chain(vector["sending"]),
        receiving=_chain(vector["receiving"]),
        sent=vector["sent"],
        taken=vector["taken"],
        seen=vector["seen"],
    )


def pending(vector: Vector, responder_modulus: bytes) -> Pending:
    """What the initiator keeps of its offer."""
    return Pending(
        offer=bytes.fromhex(vector["offer"]),
        dk=bytes.fromhex(vector["ek_seed"]),
        s=bytes.fromhex(vector["s"]),
        secret=unhex(vector["secret"]),
        peer_modulus=responder_modulus,
    )


def content(members: Vector) -> Sendable:
    """A content to send, right or wrong."""
    at, seen = members["at"], members["seen"]
    match members["t"]:
        case "hello":
            return Hello(at, seen)
        case "ack":
            return Ack(at, seen)
        case "bye":
            return Bye(at, seen)
        case "text":
            reply = Name(*members["reply"]) if "reply" in members else None
            return Text(at, seen, text=members["text"], reply=reply)
        case "timer":
            return Timer(at, seen, seconds=members["seconds"])
    raise ValueError(members["t"])


def known(one: Stored | Typing) -> Vector | None:
    """What the files say of a content that was read; None where it is unreadable."""
    match one:
        case Unreadable():
            return None
        case Unknown(at, seen):
            return {"t": one.t, "at": at, "seen": seen}
        case _:
            return to_map(one)


def _turn(vector: Vector) -> Turn:
    key = vector["ek" if vector["whose"] == "mine" else "dk"]
    return Turn(vector["whose"], vector["epoch"], bytes.fromhex(key))


def _chain(vector: Vector | None) -> Chain | None:
    return None if vector is None else Chain(vector["epoch"], bytes.fromhex(vector["key"]))
