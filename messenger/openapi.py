"""docs/openapi.json, made from the declarations of the code."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

REFERENCE = "#/components/schemas/{name}"
VERSION = "1"


def document(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """The OpenAPI 3.1 document as text, with a line break at its end."""
    return (
        json.dumps(
            {
                "openapi": "3.1.0",
                "info": {
                    "title": "Quarter",
                    "version": VERSION,
                    "description": "Login and health. All else goes over the websockets: asyncapi.json.",
                    "license": {"name": "MIT", "identifier": "MIT"},
                },
                "security": [],
                "paths": {**paths, **_health()},
                "components": {"schemas": schemas},
            },
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )


def content(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON body of this schema."""
    return {"application/json": {"schema": schema}}


def _health() -> dict[str, Any]:
    return {
        "/healthz": _question("Does the process live?", ["ok"], [200]),
        "/readyz": _question("Can it do its work?", ["ok", "database", "redis"], [200, 503]),
    }


def _question(summary: str, names: Sequence[str], statuses: Sequence[int]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {name: {"type": "boolean"} for name in names},
        "required": names,
    }
    answers = {str(status): {"description": "yes" if status == 200 else "no"} for status in statuses}
    return {
        "get": {
            "summary": summary,
            "responses": {
                status: {**answer, "content": content(schema)} for status, answer in answers.items()
            },
        }
    }
