"""The really started server, and clients of it."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

import pytest
import pytest_asyncio

from e2e.stack import Stack
from reference import kept, taking
from reference.client import Client
from reference.identity import Identity
from reference.tests import meddler, primes

TEST_SECONDS = 180.0


class MakeClient(Protocol):
    """await make_client(), or await make_client(state=directory, meddle=…)."""

    async def __call__(self, state: Path | None = None, meddle: meddler.Meddler | None = None) -> Client: ...


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Quarter, as `manage.py run` starts it, with a page that is none."""
    directory = tmp_path_factory.mktemp("stack")
    page = directory / "page"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html><title>Quarter</title>")
    stack = Stack(directory, {"QUARTER_PAGE_DIR": str(page)})
    yield stack
    stack.end()


@pytest.fixture
def url(stack: Stack) -> str:
    return stack.url


@pytest.fixture
def quick_acks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause after which a client acknowledges a burst is for people; tests wait for states."""
    monkeypatch.setattr(taking, "ACK_PAUSE_SECONDS", 0.05)


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a key takes longer than all else that these tests do."""
    quick = SimpleNamespace(generate=primes.unsafe_identity, from_pkcs8=Identity.from_pkcs8)
    monkeypatch.setattr(kept, "Identity", quick)


@pytest_asyncio.fixture
async def make_client(url: str, quick_acks: None, quick_keys: None) -> AsyncIterator[MakeClient]:
    """Makes clients, which leave when the test is over."""
    async with AsyncExitStack() as clients:
        clients.enter_context(meddler.installed())

        async def make(state: Path | None = None, meddle: meddler.Meddler | None = None) -> Client:
            with meddler.between(meddle):
                return await clients.enter_async_context(Client(url, state))

        yield make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No test of these waits for ever."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = _bounded(item.obj)


def _bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def run(*args: object, **kwargs: object) -> None:
        async with asyncio.timeout(TEST_SECONDS):
            await test(*args, **kwargs)

    return run
