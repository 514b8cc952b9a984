"""The part of docs/openapi.json that is about the operations of accounts.api, and the whole document."""

from collections.abc import Sequence
from typing import Any

import msgspec

from accounts import views
from accounts.api import Operation, ProblemAnswer
from accounts.errors import AccountsError
from messenger import openapi


def generate(operations: Sequence[Operation] = views.OPERATIONS) -> str:
    """The document's text."""
    shapes = [shape for each in operations for shape in (each.request, each.answer)]
    references, schemas = msgspec.json.schema_components(
        [*shapes, ProblemAnswer], ref_template=openapi.REFERENCE
    )
    reference_of = dict(zip([*shapes, ProblemAnswer], references, strict=True))
    paths = {f"/api/{each.path}": {"post": _operation(each, reference_of)} for each in operations}
    return openapi.document(paths, schemas)


def _operation(operation: Operation, reference_of: dict[Any, Any]) -> dict[str, Any]:
    by_status: dict[int, list[type[AccountsError]]] = {}
    for error in operation.all_errors:
        by_status.setdefault(error.status, []).append(error)
    problem = openapi.content(reference_of[ProblemAnswer])
    return {
        "summary": operation.summary,
        "parameters": [
            {
                "name": "Origin",
                "in": "header",
                "required": True,
                "description": "one of the allowed origins, to the letter",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {"required": True, "content": openapi.content(reference_of[operation.request])},
        "responses": {
            "200": {"description": "done", "content": openapi.content(reference_of[operation.answer])},
            **{
                str(status): {"description": _described(errors), "content": problem}
                for status, errors in sorted(by_status.items())
            },
        },
    }


def _described(errors: Sequence[type[AccountsError]]) -> str:
    return "; ".join(f"{error.code}: {error.message}" for error in errors)
