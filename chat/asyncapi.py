"""docs/asyncapi.json, made from the structs of the wire."""

import json
from typing import Any, get_args

import msgspec

from chat import wire

REFERENCE = "#/components/schemas/{name}"
SOCKETS = {
    "send": "What the page asks for and says.",
    "receive": "What the page is sent; one for each user, the newest wins (4409).",
}
CLOSE_CODES = {
    "1012": "restart",
    "4400": "bad frame",
    "4401": "not logged in",
    "4408": "too slow",
    "4409": "elsewhere",
    "4410": "ended",
    "4413": "too big",
    "4429": "too fast",
    "4503": "full",
}


def generate() -> str:
    """The AsyncAPI 3.0 document as text, with a line break at its end."""
    structs = [struct for union in wire.SOCKETS.values() for struct in get_args(union)]
    _, schemas = msgspec.json.schema_components(structs, ref_template=REFERENCE)
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Quarter",
            "version": "1",
            "description": "MessagePack maps in binary websocket frames; `t` tells the type. The page's "
            "first frame is hello. Strings with contentEncoding are MessagePack's bin, not base64 text.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/msgpack",
        "channels": {name: _channel(name, summary) for name, summary in SOCKETS.items()},
        "operations": {
            f"{name}_from_{side}": _operation(name, side) for name in SOCKETS for side in ("page", "server")
        },
        "components": {"schemas": schemas},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _channel(name: str, summary: str) -> dict[str, Any]:
    return {
        "address": f"/ws/{name}/",
        "summary": summary,
        "messages": {
            f"{side}_{_tag(struct)}": {
                "name": _tag(struct),
                "payload": {"$ref": REFERENCE.format(name=struct.__name__)},
            }
            for side in ("page", "server")
            for struct in get_args(wire.SOCKETS[name, side])
        },
        "x-close-codes": CLOSE_CODES,
    }


def _operation(name: str, side: str) -> dict[str, Any]:
    return {
        "action": "receive" if side == "page" else "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [
            {"$ref": f"#/channels/{name}/messages/{side}_{_tag(struct)}"}
            for struct in get_args(wire.SOCKETS[name, side])
        ],
    }


def _tag(struct: type) -> str:
    return str(msgspec.inspect.type_info(struct).tag)  # type: ignore[attr-defined]
