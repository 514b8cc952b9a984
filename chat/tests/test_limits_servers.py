"""What the real servers bear: requests without end, bodies without end, frames faster than they are taken."""

import asyncio
import contextlib
import json
import resource
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import psutil
import pytest
import uvicorn
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from uvicorn.server import ServerState

from chat.tests import pages, servers
from messenger.stack import frames, parts, preflight, serve_daphne, serve_uvicorn

LIMIT = 256 * 1024
UPGRADE = (
    b"GET /ws/send/ HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:8000\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
POST = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:8000\r\n"
MEMORY_BYTES = 32 * 1024 * 1024


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[servers.Server]:
    name: parts.ServerName = request.param
    with servers.start(name, redis_url, tmp_path_factory.mktemp(name)) as started:
        yield started


def call(server: servers.Server, *pieces: bytes) -> bytes:
    """What a server answers to these bytes, until it hangs up or has said all."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), servers.WAIT_SECONDS) as client:
        threading.Thread(target=push, args=(client, pieces), daemon=True).start()
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # it hung up while we went on
            while not answer.endswith(b"}") and (piece := client.recv(65536)):
                answer += piece
        return answer


def push(client: socket.socket, pieces: tuple[bytes, ...]) -> None:
    with contextlib.suppress(OSError):
        for piece in pieces:
            client.sendall(piece)


def code(answer: bytes) -> tuple[bytes, str]:
    """The status and the error's code."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ")[1], json.loads(body)["error"]["code"]


@pytest.mark.parametrize(("more", "status"), [(-1, b"400"), (0, b"400"), (1, b"413")])
def test_a_body_may_be_as_long_as_the_limit(server: servers.Server, more: int, status: bytes) -> None:
    size = LIMIT + more
    answer = call(server, POST + b"Content-Length: %d\r\n\r\n" % size, b" " * size)
    assert code(answer) == (status, "too_big" if more > 0 else "bad_request")


@pytest.mark.parametrize(("more", "status"), [(-1, b"400"), (0, b"400"), (1, b"413")])
def test_so_may_a_body_in_pieces(server: servers.Server, more: int, status: bytes) -> None:
    size = LIMIT + more
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = call(server, head, b"%x\r\n" % size + b" " * size + b"\r\n0\r\n\r\n")
    assert code(answer) == (status, "too_big" if more > 0 else "bad_request")


def test_a_body_that_is_announced_too_long_is_refused_before_it_comes(server: servers.Server) -> None:
    answer = call(server, POST + b"Content-Length: 1000000000000\r\n\r\n")
    assert code(answer) == (b"413", "too_big")


def test_a_body_without_end_fills_neither_memory_nor_disk(server: servers.Server, tmp_path: Path) -> None:
    process = psutil.Process(server.process.pid)
    call(server, POST + b"Content-Length: 2\r\n\r\n{}")  # it has started
    before = process.memory_info().rss
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    call(server, POST + b"Transfer-Encoding: chunked\r\n\r\n", *[piece] * 1600)
    assert process.memory_info().rss - before < MEMORY_BYTES
    assert not [each.path for each in process.open_files() if "(deleted)" in each.path]


def test_daphne_gives_up_a_request_that_does_not_come_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(serve_daphne, "clock", clock)
    channel: Any = serve_daphne.Channel()  # type: ignore[no-untyped-call]
    channel.callLater = clock.callLater
    transport: Any = StringTransport()  # type: ignore[no-untyped-call]
    channel.makeConnection(transport)
    for _ in range(serve_daphne.REQUEST_SECONDS - 1):
        channel.dataReceived(b"G")
        clock.advance(1)
    assert not transport.disconnecting
    clock.advance(1)
    assert transport.value().startswith(b"HTTP/1.1 408 ")
    assert transport.disconnecting


def test_daphne_reads_a_socket_on_when_the_application_has_taken_what_was_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(serve_daphne, "clock", clock)
    websocket = serve_daphne.WebSocket()
    websocket.client_addr = None
    websocket.state = websocket.STATE_OPEN
    websocket.transport = StringTransport()  # type: ignore[no-untyped-call]
    websocket.application_queue = asyncio.Queue()
    for _ in range(frames.FRAMES_MOST):
        assert websocket.transport.producerState == "producing"
        websocket.onMessage(b"frame", True)
    assert websocket.transport.producerState == "paused"
    clock.advance(frames.LOOK_AGAIN_SECONDS)
    assert websocket.transport.producerState == "paused"
    while not websocket.application_queue.empty():
        websocket.application_queue.get_nowait()
    clock.advance(frames.LOOK_AGAIN_SECONDS)
    assert websocket.transport.producerState == "producing"


async def test_uvicorn_gives_up_a_request_that_does_not_come_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serve_uvicorn, "REQUEST_SECONDS", 0.3)
    config = uvicorn.Config("messenger.asgi:application", log_config=None, lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: serve_uvicorn.Http(config, ServerState(), {}, loop), "127.0.0.1", 0
    )
    async with listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        said = asyncio.create_task(reader.readline())
        writer.write(b"GET / HTTP/1.1\r\nX-Endless: ")
        while not said.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
        assert said.result().startswith(b"HTTP/1.1 408 ")
        with contextlib.suppress(ConnectionError):  # it hung up while we went on
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def test_a_handshake_as_browsers_make_it_is_answered_without_compression(server: servers.Server) -> None:
    offer = b"\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), servers.WAIT_SECONDS) as client:
        client.sendall(UPGRADE.replace(b"\r\n\r\n", offer))
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"permessage-deflate" not in answer


def test_daphne_refuses_a_handshake_whose_body_would_be_parsed_as_frames() -> None:
    channel: Any = serve_daphne.Channel()  # type: ignore[no-untyped-call]
    channel.factory = SimpleNamespace(server=Mock())
    transport: Any = StringTransport()  # type: ignore[no-untyped-call]
    channel.makeConnection(transport)
    channel.dataReceived(UPGRADE.replace(b"\r\n\r\n", b"\r\nContent-Length: 6\r\n\r\n") + bytes(6))
    assert transport.value().startswith(b"HTTP/1.1 400 ")
    assert transport.disconnecting


@pytest.mark.parametrize(("more", "codes"), [(-1, {4413}), (0, {4413}), (1, {1009, 1006})])
async def test_what_is_longer_than_any_frame_may_be_never_reaches_the_application(
    server: servers.Server, more: int, codes: set[int]
) -> None:
    """Up to 128 KiB the application says that it is too long; above that a server hangs up, Daphne mutely."""
    async with pages.open_socket("send", server.url) as page:
        await page.pipe.send(bytes(131072 + more))
        assert await page.closed() in codes


def test_a_socket_that_died_without_a_word_leaves_its_seat_within_half_a_minute() -> None:
    most = parts.PING_SECONDS + parts.PONG_SECONDS + 2  # Daphne looks at its sockets every two seconds
    assert most <= 30
    assert parts.PONG_SECONDS < parts.PING_SECONDS


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
def test_a_socket_that_answers_no_ping_is_cut(
    name: parts.ServerName,
    django_db_setup: None,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = parts.server
    monkeypatch.setattr(parts, "server", lambda *args: hasty(part(*args)))
    with servers.start(name, redis_url, tmp_path, QUARTER_LIMIT_HELLO_SECONDS="600") as started:
        assert call(started, UPGRADE).startswith(b"HTTP/1.1 101 ")


def hasty(part: parts.Part) -> parts.Part:
    """The same part, which pings each second and waits for a second."""
    code = (
        "import runpy, sys; from messenger.stack import parts; parts.PING_SECONDS = parts.PONG_SECONDS = 1;"
        "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
    )
    words = list(part.argv[2:])
    for option in {"--ping-interval", "--ping-timeout"} & set(words):  # uvicorn has none
        words[words.index(option) + 1] = "1"
    return replace(part, argv=[sys.executable, "-c", code, *words])


def test_the_system_need_not_make_room_for_files_while_a_server_serves(server: servers.Server) -> None:
    call(server, POST + b"Content-Length: 2\r\n\r\n", b"{}")  # it serves
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    size = int(status.partition("FDSize:")[2].split()[0])
    assert size >= min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], preflight.FILES_MOST)


def test_both_servers_are_as_patient() -> None:
    assert serve_uvicorn.REQUEST_SECONDS == serve_daphne.REQUEST_SECONDS
