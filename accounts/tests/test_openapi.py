"""The documented API is the one that runs."""

import json

from django.conf import settings
from django.urls import resolve

from accounts import errors, openapi, views


def test_the_committed_document_is_the_one_that_the_code_makes() -> None:
    committed = (settings.BASE_DIR / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert committed == openapi.generate(), "run `manage.py openapi`"


def test_every_documented_call_is_answered() -> None:
    document = json.loads(openapi.generate())
    for path in document["paths"]:
        if path.startswith("/api/"):
            resolve(path)
    assert {f"/api/{each.path}" for each in views.OPERATIONS} < set(document["paths"])


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [each.code for each in errors.AccountsError.__subclasses__()]
    assert len(codes) == len(set(codes))
    assert all(each.message for each in errors.AccountsError.__subclasses__())
