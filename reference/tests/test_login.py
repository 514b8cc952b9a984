"""Logging in, and servers that are none."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from reference import login, trouble
from reference.tests import people


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("https://Quarter.Example", "https://quarter.example"),
        ("https://quarter.example:443", "https://quarter.example"),
        ("http://quarter.example:80/", "http://quarter.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_spelt_as_a_browser_does(url: str, origin: str) -> None:
    assert login.origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "ftp://host", "http://", "http://host/path", "http://host:port", "", "http://h?q"],
)
def test_what_is_no_servers_address_is_refused(url: str) -> None:
    with pytest.raises(trouble.BadAddress):
        login.origin_of(url)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything with the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>", "an answer that is none"),
        (200, b'{"challenge": "short", "c": "x"}', "an answer that is none"),
        (200, b"\xff", "an answer that is none"),
        (404, b"not here", "HTTP 404"),
        (500, b"", "HTTP 500"),
    ],
)
def test_a_server_that_is_not_quarter_is_named(status: int, body: bytes, said: str) -> None:
    with answering(status, body) as url, pytest.raises(trouble.Unreachable, match=said):
        asyncio.run(login.log_in(url, people.alice()))


def test_a_refusal_says_when_to_come_back() -> None:
    body = b'{"error": {"code": "too_fast", "message": "Slow down.", "retry_after": 7}}'
    with answering(429, body) as url, pytest.raises(trouble.Refused, match=r"too_fast\). Try again in 7 s"):
        asyncio.run(login.log_in(url, people.alice()))


def test_a_real_server_lets_in_whoever_holds_the_key(url: str) -> None:
    assert len(asyncio.run(login.log_in(url, people.alice()))) == 43
