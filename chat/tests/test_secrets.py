"""Nothing secret is logged, or told in a refusal: tokens, proofs, what a challenge sealed, seal halves."""

import base64
import io
import logging.config
import secrets
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest
from django.conf import settings
from django.db import OperationalError

from accounts import b64u, keys, login, tokens
from accounts.errors import AccountsError
from accounts.tests.people import NOON, ORIGIN, person
from chat import wire
from chat.tests.pages import open_socket, sender
from chat.tests.people import Person
from messenger import logs
from messenger.tests.wire import Answer, post

pytestmark = pytest.mark.usefixtures("here")

Spells = Callable[[str], list[bytes]]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What a production server would write to standard error from now on, at its most talkative."""
    written = io.StringIO()
    config = logs.config("DEBUG", as_json=True, whole_errors=False)
    config["handlers"]["stderr"]["stream"] = written
    logging.config.dictConfig(config)
    yield written
    logging.config.dictConfig(settings.LOGGING)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every secret of the test: all that the server draws; the test adds what it makes itself."""
    drawn: list[bytes] = []
    draw = secrets.token_bytes

    def remember(size: int | None = None) -> bytes:
        drawn.append(draw(size))
        return drawn[-1]

    monkeypatch.setattr(secrets, "token_bytes", remember)
    return drawn


def secrets_in(text: str, known: list[bytes]) -> list[bytes]:
    """Those that stand in the text, whatever their spelling."""
    return [secret for secret in known if any(spelling in text for spelling in spellings(secret))]


def spellings(secret: bytes) -> list[str]:
    shifted = [base64.b64encode(bytes(ahead) + secret)[4:-4].decode() for ahead in range(3)]
    urls = [text.translate(str.maketrans("+/", "-_")) for text in shifted]
    lists = [repr([*secret])[1:-1], ",".join(map(str, secret))]
    return [secret.hex(), secret.hex().upper(), repr(secret)[2:-1], *lists, *shifted, *urls]


def told(error: BaseException | None) -> str:
    """All that an error and what it came from would say."""
    return "" if error is None else f"{error!r}{vars(error)}{told(error.__cause__)}{told(error.__context__)}"


async def begin_login() -> tuple[str, bytes]:
    """A challenge's id, and Alice's proof."""
    alice = person("Alice")
    asked = (await post("/api/login/challenge", {"key": alice.jwk})).json()
    return asked["challenge"], alice.prove(b64u.decode(asked["c"], 384))


async def answer(challenge: str, proof: bytes) -> Answer:
    return await post("/api/login", {"challenge": challenge, "proof": b64u.encode(proof)})


def failing(error: type[Exception], *what: object) -> Callable[..., NoReturn]:
    def fail(*args: object) -> NoReturn:
        raise error(*what, *args)

    return fail


async def test_no_secret_is_logged_when_all_goes_well(
    alice: Person, session: str, known: list[bytes], log: io.StringIO
) -> None:
    challenge, proof = await begin_login()
    entered = await answer(challenge, proof)
    async with sender(alice) as page:
        seal = await page.ask(wire.Prepare(1, session), wire.Seal)
    token = b64u.decode(entered.json()["token"], 32)
    assert token in known
    assert secrets_in(log.getvalue(), [*known, proof, token, seal.half, b64u.decode(alice.token, 32)]) == []


async def test_no_secret_is_logged_when_we_have_a_bug(
    alice: Person, session: str, known: list[bytes], log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the error says, and wherever it comes up."""
    token = b64u.decode(alice.token, 32)
    half = secrets.token_bytes(32)
    async with sender(alice) as page:
        monkeypatch.setattr("chat.sessions.prepare", failing(RuntimeError, half, half.hex()))
        assert await page.refused(wire.Prepare(1, session)) == "unavailable"
    for error in (RuntimeError, OperationalError):
        monkeypatch.setattr("accounts.tokens.resolve", failing(error, token))
        async with open_socket("send") as page:
            assert await page.refused(wire.SendHello(alice.token)) == "unavailable"
    challenge, proof = await begin_login()
    monkeypatch.setattr("accounts.login.answer", failing(RuntimeError, proof))
    assert (await answer(challenge, proof)).status == 500
    monkeypatch.setattr("accounts.login.answer", failing(OperationalError, proof))
    assert (await answer(challenge, proof)).status == 503
    written = log.getvalue()
    assert written.count("our_bug") == 2
    assert "RuntimeError" in written
    assert "database_trouble" in written
    assert secrets_in(written, [*known, token, half, proof]) == []


async def test_no_secret_is_in_a_refusal(
    alice: Person, session: str, known: list[bytes], log: io.StringIO
) -> None:
    challenge, proof = await begin_login()
    wrong = secrets.token_bytes(32)
    refused = [
        await answer(challenge, wrong),
        await answer(challenge, proof),
        await post("/api/login", {"challenge": challenge, "proof": b64u.encode(proof) + "A"}),
        await post("/api/login", {"challenge": challenge, "proof": proof.hex(), "token": alice.token}),
    ]
    assert [each.status for each in refused] == [401, 401, 400, 400]
    said = "".join(each.body.decode() + repr(each.headers) for each in refused)
    async with open_socket("send") as page:
        said += repr(await page.ask(wire.SendHello(b64u.encode(wrong)), wire.Error))
    assert secrets_in(said + log.getvalue(), [*known, proof, b64u.decode(alice.token, 32)]) == []


@pytest.mark.django_db
def test_no_secret_is_in_an_error(known: list[bytes]) -> None:
    alice = person("Alice")
    asked = login.challenge(alice.modulus, ORIGIN, NOON)
    proof = alice.prove(asked.sealed)
    token = login.admit(alice.modulus, NOON).token
    attempts: list[Callable[[], Any]] = [
        lambda: login.answer(asked.id, known[0], ORIGIN, NOON),
        lambda: login.answer(asked.id, proof, ORIGIN, NOON),
        lambda: tokens.resolve(token + "A"),
        lambda: tokens.resolve(b64u.encode(proof)),
        lambda: keys.modulus_of({**alice.jwk, "n": token, "d": token}),
        lambda: keys.modulus_of({**alice.jwk, "n": token}),
    ]
    for attempt in attempts:
        with pytest.raises(AccountsError) as caught:
            attempt()
        assert secrets_in(told(caught.value), [*known, proof, b64u.decode(token, 32)]) == []


@pytest.mark.parametrize("spelling", range(len(spellings(bytes(32)))))
def test_the_search_finds_a_secret_in_each_spelling(spelling: int) -> None:
    """Else the tests above would prove nothing."""
    secret = secrets.token_bytes(32)
    text = told(ValueError("it was", spellings(secret)[spelling]))
    assert secrets_in(text.replace("\\\\", "\\"), [secret]) == [secret]
