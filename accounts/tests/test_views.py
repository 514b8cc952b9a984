"""The login as a page sees it, through the whole application."""

import dataclasses
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from accounts import b64u, login, tokens
from accounts.models import Challenge, Identity
from accounts.tests.people import Person, person
from messenger.tests.wire import Answer, call, post

pytestmark = pytest.mark.django_db(transaction=True)

ASK = "/api/login/challenge"
ENTER = "/api/login"


async def enter(who: Person, **options: Any) -> Answer:
    asked = (await post(ASK, {"key": who.jwk}, **options)).json()
    proof = who.prove(b64u.decode(asked["c"], 384))
    return await post(ENTER, {"challenge": asked["challenge"], "proof": b64u.encode(proof)}, **options)


def error_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]["code"]


async def test_a_page_logs_in(alice: Person) -> None:
    asked = await post(ASK, {"key": alice.jwk})
    assert asked.status == 200
    assert set(asked.json()) == {"challenge", "c"}
    entered = await enter(alice)
    assert entered.status == 200
    assert set(entered.json()) == {"token", "hash"}
    assert entered.json()["hash"] == alice.hash
    assert (await Identity.objects.aget()).hash == alice.hash


async def test_no_cookie_is_set_and_nothing_is_cached(alice: Person) -> None:
    for answer in (await post(ASK, {"key": alice.jwk}), await enter(alice), await post(ENTER, {})):
        assert "set-cookie" not in answer.headers
        assert "vary" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"


async def test_every_failed_login_is_one_and_the_same(alice: Person, mallory: Person) -> None:
    async def asked() -> tuple[str, bytes]:
        answer = (await post(ASK, {"key": alice.jwk})).json()
        return answer["challenge"], b64u.decode(answer["c"], 384)

    spent, sealed = await asked()
    await post(ENTER, {"challenge": spent, "proof": b64u.encode(alice.prove(sealed))})
    wrong, other = await asked()
    answers = [
        await post(ENTER, {"challenge": spent, "proof": b64u.encode(alice.prove(sealed))}),
        await post(ENTER, {"challenge": wrong, "proof": b64u.encode(mallory.prove(other))}),
        await post(ENTER, {"challenge": "A" * 22, "proof": b64u.encode(bytes(32))}),
    ]
    assert {error_of(answer) for answer in answers} == {(401, "login_failed")}
    assert len({answer.body for answer in answers}) == 1


@pytest.mark.parametrize(
    "origin", ["", "null", "http://localhost", "https://localhost:8000", "http://localhost:8000/"]
)
async def test_another_site_is_refused(alice: Person, origin: str) -> None:
    for path in (ASK, ENTER):
        answer = await post(path, {"key": alice.jwk}, headers={"origin": origin})
        assert error_of(answer) == (403, "forbidden_origin")


async def test_a_request_without_an_origin_is_refused(alice: Person) -> None:
    answer = await call("POST", ASK, body=b"{}", headers={"content-type": "application/json"})
    assert error_of(answer) == (403, "forbidden_origin")


async def test_a_key_that_is_not_allowed_is_refused_before_anything_is_stored(alice: Person) -> None:
    answer = await post(ASK, {"key": {**alice.jwk, "alg": "RSA-OAEP-256"}})
    assert error_of(answer) == (400, "bad_key")
    assert not await Challenge.objects.aexists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        {},
        {"key": "text"},
        {"key": {}, "more": 1},
        {"challenge": "A" * 22},
        {"challenge": "A" * 22, "proof": "A" * 42},
        {"challenge": "A" * 22, "proof": "A" * 42 + "B"},
        {"challenge": "A" * 21 + "!", "proof": "A" * 43},
        {"challenge": "A" * 22, "proof": "A" * 43, "more": 1},
        b"[" * 100_000,
        b'{"key": {"n": ' + b"[" * 100_000,
        b'{"key": {"n": "\xff"}}',
    ],
)
async def test_what_is_not_documented_is_refused(body: Any) -> None:
    for path in (ASK, ENTER):
        status, code = error_of(await post(path, body))
        assert (status, code) in {(400, "bad_request"), (400, "bad_key")}


async def test_another_content_type_is_refused(alice: Person) -> None:
    answer = await post(ASK, {"key": alice.jwk}, headers={"content-type": "text/plain"})
    assert error_of(answer) == (400, "bad_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
async def test_only_post_is_answered(method: str) -> None:
    answer = await call(method, ASK)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_too_many_new_users_from_one_address_have_to_wait(settings: Any) -> None:
    settings.LIMITS = dataclasses.replace(settings.LIMITS, identities_per_minute=2)
    answers = [await enter(person(f"guest {number}")) for number in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert error_of(answers[2]) == (429, "too_fast")
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert answers[2].json()["error"]["retry_after"] > 0
    again = await enter(person("guest 0"))
    assert again.status == 200, "somebody who is known is not held back"
    elsewhere = await enter(person("guest 2"), client="198.51.100.1")
    assert elsewhere.status == 200, "nor is somebody from elsewhere"


async def test_too_many_answers_from_one_address_have_to_wait(settings: Any) -> None:
    settings.LIMITS = dataclasses.replace(settings.LIMITS, logins_per_minute=2)
    nonsense = {"challenge": "A" * 22, "proof": b64u.encode(bytes(32))}
    assert [(await post(ENTER, nonsense)).status for _ in range(3)] == [401, 401, 429]


async def test_a_database_that_does_not_answer_is_said_so(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(login, "challenge", fail)
    answer = await post(ASK, {"key": alice.jwk})
    assert error_of(answer) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


async def test_the_token_opens_what_the_hash_says(alice: Person) -> None:
    answer = (await enter(alice)).json()
    assert await sync_to_async(tokens.resolve)(answer["token"]) == alice.hash
