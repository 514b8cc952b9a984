"""The wire, by the vectors that the page's tests run too."""

import json
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec
import pytest
from django.conf import settings

from chat import asyncapi, errors, wire
from chat.tests import wire_vectors

VECTORS = json.loads(wire_vectors.PATH.read_text(encoding="utf-8"))
DECODERS = {key: msgspec.msgpack.Decoder(union) for key, union in wire.SOCKETS.items()}


def label(vector: dict[str, Any]) -> str:
    return f"{vector['socket']} {vector['from']} {vector['name']}"


def test_the_committed_vectors_are_the_generated_ones() -> None:
    assert wire_vectors.PATH.read_text(encoding="utf-8") == wire_vectors.text()


def test_the_committed_asyncapi_document_is_the_generated_one() -> None:
    committed = settings.BASE_DIR / "docs" / "asyncapi.json"
    assert committed.read_text(encoding="utf-8") == asyncapi.generate()


@pytest.mark.parametrize("vector", VECTORS["good"], ids=label)
def test_a_good_frame_is_read_and_written_again(vector: dict[str, Any]) -> None:
    frame = DECODERS[vector["socket"], vector["from"]].decode(bytes.fromhex(vector["hex"]))
    assert wire_vectors._plain(msgpack.unpackb(wire.encode(frame))) == vector["frame"]


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=label)
def test_a_bad_frame_is_refused(vector: dict[str, Any]) -> None:
    decoder = DECODERS[vector["socket"], vector["from"]]
    with pytest.raises(errors.BadFrame):
        wire._decode(decoder, bytes.fromhex(vector["hex"]))


def test_of_a_member_that_stands_twice_the_last_counts() -> None:
    twice = bytes.fromhex("83a174a56572617365a2696401a2696402")
    assert wire.decode_send(twice) == wire.Erase(2)


def test_every_error_code_is_a_code_of_the_wire() -> None:
    def leaves(error: type[errors.ChatError]) -> list[type[errors.ChatError]]:
        below = error.__subclasses__()
        return [leaf for each in below for leaf in leaves(each)] if below else [error]

    for error in leaves(errors.ChatError):
        instance = errors.Full(60) if error is errors.Full else error()
        frame = DECODERS["send", "server"].decode(wire.error_frame(instance, id=1))
        assert (frame.code, frame.permanent) == (error.code, error.permanent)
    assert {error.code for error in leaves(errors.ChatError)} == set(wire_vectors.ERROR_CODES)
