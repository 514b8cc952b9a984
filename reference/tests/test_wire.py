"""The wire, by the vectors that server and page run too."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reference import wire

PATH = Path(__file__).resolve().parents[2] / "docs" / "vectors" / "wire.json"
VECTORS = json.loads(PATH.read_text(encoding="utf-8"))
DECODERS: dict[tuple[str, str], msgspec.msgpack.Decoder[Any]] = {
    ("send", "page"): wire.send_requests,
    ("send", "server"): wire.send_replies,
    ("receive", "page"): wire.receive_requests,
    ("receive", "server"): wire.receive_replies,
}


def label(vector: dict[str, Any]) -> str:
    return f"{vector['socket']} {vector['from']} {vector['name']}"


def plain(value: Any) -> Any:
    """As the vectors write it: bytes as {"$hex": …}."""
    if isinstance(value, bytes):
        return {"$hex": value.hex()}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("vector", VECTORS["good"], ids=label)
def test_a_good_frame_is_read_and_written_again(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    frame = wire.decode(DECODERS[vector["socket"], vector["from"]], data)
    assert plain(msgspec.msgpack.decode(wire.encode(frame))) == vector["frame"]


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=label)
def test_a_bad_frame_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(wire.BadFrame):
        wire.decode(DECODERS[vector["socket"], vector["from"]], bytes.fromhex(vector["hex"]))


def test_text_where_bytes_belong_is_no_frame() -> None:
    with pytest.raises(wire.BadFrame):
        wire.decode(wire.send_replies, "ok")


def test_what_has_a_number_is_known_as_a_request() -> None:
    numbered = {kind for kind in wire.SendRequest.__args__ if "id" in kind.__struct_fields__}
    assert numbered == set(wire.REQUESTS)
