"""`python -m soak.caddy [CADDY]`: the real Caddy with deploy/Caddyfile before a real server.

What a client sees through it must be what the server says: headers, limits, closes, addresses. Other than
shipped are only the ports, who issues the certificate, and where the server is. The exit code is 1 where
something is not so. Caddy is Debian's package `caddy`, or the program of caddyserver.com.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, get_args

import websockets
from websockets.asyncio.client import ClientConnection

from e2e.stack import ROOT, Stack, wait_until
from messenger.stack import parts
from reference import b64u, login, wire
from reference.client import Client
from reference.identity import Identity

HTTP_PORT, HTTPS_PORT = 8081, 8443
ORIGIN = f"https://localhost:{HTTPS_PORT}"
BODY_BYTES = 256 * 1024
#: A limit that is not Stack's roomy one, so that addresses can be told apart.
LOGINS = 20
SETTINGS = {
    "QUARTER_ENV": "production",
    "QUARTER_SECRET_KEY": b64u.encode(os.urandom(64)),
    "QUARTER_HOSTS": "localhost",
    "QUARTER_ORIGINS": ORIGIN,
    "QUARTER_PROXY_COUNT": "1",
    "QUARTER_LIMIT_LOGINS_PER_MINUTE": str(LOGINS),
}
SILENT_SECONDS = 22.0  # deploy/Caddyfile gives 20
ANSWER_SECONDS = 30.0
JSON = {"Content-Type": "application/json", "Origin": ORIGIN}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, response: http.client.HTTPResponse) -> Self:
        headers = {name.lower(): value for name, value in response.getheaders()}
        return cls(response.status, headers, response.read())


@dataclass
class Front:
    """Caddy before `stack`; `tls` trusts its root."""

    stack: Stack
    tls: ssl.SSLContext

    @property
    def port(self) -> int:
        """The server's own."""
        return int(self.stack.url.rpartition(":")[2])

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        client: str = "127.0.0.1",
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """One request over TLS, from this address of the loopback, with `more` headers."""
        connection = http.client.HTTPSConnection(
            "localhost", HTTPS_PORT, context=self.tls, source_address=(client, 0), timeout=ANSWER_SECONDS
        )
        with contextlib.closing(connection):
            connection.request(method, path, body or None, {**more, **(JSON if body else {})})
            return Answer.of(connection.getresponse())

    @contextlib.asynccontextmanager
    async def open(self, name: str, *frames: bytes, origin: str = ORIGIN) -> AsyncIterator[ClientConnection]:
        """A websocket on which this was said."""
        address = f"wss://localhost:{HTTPS_PORT}/ws/{name}/"
        async with websockets.connect(
            address, ssl=self.tls, compression=None, additional_headers={"Origin": origin}
        ) as opened:
            for frame in frames:
                await opened.send(frame)
            yield opened

    def silent(self, said: bytes) -> float:
        """How many seconds a connection lives on which this was said, and nothing after it."""
        began_at = time.monotonic()
        with (
            socket.create_connection(("127.0.0.1", HTTPS_PORT), SILENT_SECONDS) as plain,
            self.tls.wrap_socket(plain, server_hostname="localhost") as client,
        ):
            client.sendall(said)
            with contextlib.suppress(TimeoutError):
                client.recv(1000)
        return time.monotonic() - began_at


async def code_of(opened: ClientConnection) -> int:
    """With what the server closes."""
    async with asyncio.timeout(ANSWER_SECONDS):
        with contextlib.suppress(websockets.ConnectionClosed):
            async for _ in opened:
                pass
    return opened.close_code or 0


# --- what must be so -------------------------------------------------------------------------------------


async def every_header_of_the_server_and_no_word_of_caddy(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=ANSWER_SECONDS)
    connection.request("GET", "/", headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
    own, shown = Answer.of(connection.getresponse()), front.ask("GET", "/")
    connection.close()
    assert (own.status, shown.status) == (200, 200)
    assert {name for name, value in own.headers.items() if shown.headers.get(name) != value} <= {"date"}
    assert shown.headers.keys() - own.headers.keys() <= {"alt-svc", "date"}


async def plain_http_is_sent_to_https(front: Front) -> None:
    connection = http.client.HTTPConnection("localhost", HTTP_PORT, timeout=ANSWER_SECONDS)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.getheader("location")) == (308, "https://localhost/")
    connection.close()


async def nobody_outside_asks_whether_it_is_ready(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=ANSWER_SECONDS)
    connection.request("GET", "/readyz", headers={"Host": "localhost"})
    assert connection.getresponse().status == 200
    connection.close()
    statuses = {front.ask("GET", path).status for path in ("/readyz", "/readyz?", "/%72eadyz", "//readyz")}
    assert 200 not in statuses, statuses


async def nothing_but_the_pages_files_is_compressed(front: Front) -> None:
    packed = {"Accept-Encoding": "zstd, gzip"}
    page = front.ask("GET", "/", more=packed)
    script = page.body.decode().partition('src="')[2].partition('"')[0]
    assert "content-encoding" not in page.headers
    assert front.ask("GET", script, more=packed).headers["content-encoding"] in ("zstd", "gzip")


async def a_body_may_be_as_long_as_the_servers_limit(front: Front) -> None:
    statuses = [front.ask("POST", "/api/login", b" " * (BODY_BYTES + more)).status for more in (0, 1)]
    assert statuses in ([400, 413], [400, 502]), statuses  # 502 where the server hung up while Caddy wrote


async def two_people_talk(front: Front) -> None:
    async with asyncio.timeout(60), Client(ORIGIN) as owner, Client(ORIGIN) as guest:
        talk = await guest.join(await owner.link())
        met = await anext(aiter(owner.conversations()))
        await talk.say("hello")
        assert (await anext(aiter(met))).text == "hello"


async def each_close_code_arrives(front: Front) -> None:
    token = await login.log_in(ORIGIN, await asyncio.to_thread(Identity.generate))
    nobody = wire.encode(wire.SendHello(b64u.encode(bytes(32))))
    for said, code in ((b"\xff", 4400), (nobody, 4401), (bytes(40_000), 4413)):
        async with front.open("send", said) as opened:
            assert await code_of(opened) == code, code
    hello = wire.encode(wire.ReceiveHello(token, {}))
    async with front.open("receive", hello) as older, front.open("receive", hello) as newer:
        assert await code_of(older) == 4409
        server = next(each for each in front.stack.processes() if "serve_" in " ".join(each.cmdline()))
        server.terminate()
        assert await code_of(newer) == 1012


async def another_sites_socket_is_refused(front: Front) -> None:
    answer = None
    with contextlib.suppress(websockets.InvalidStatus):
        async with front.open("send", origin="https://mallory.example") as answer:
            pass
    assert answer is None


async def a_client_is_counted_by_its_own_address_whatever_it_says(front: Front) -> None:
    key = {"kty": "RSA", "e": "AQAB", "n": b64u.encode(Identity.generate().modulus)}
    body = json.dumps({"key": key}).encode()
    asked = [
        front.ask(
            "POST", "/api/login/challenge", body, "127.0.0.9", {"X-Forwarded-For": f"192.0.2.{n}"}
        ).status
        for n in range(LOGINS + 1)
    ]
    assert asked == [200] * LOGINS + [429]
    other = front.ask("POST", "/api/login/challenge", body, "127.0.0.8", {"X-Forwarded-For": "127.0.0.9"})
    assert other.status == 200


async def who_says_nothing_is_hung_up_on(front: Front) -> None:
    for said in (b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Endless: "):
        assert await asyncio.to_thread(front.silent, said) < SILENT_SECONDS, said


CHECKS: tuple[Callable[[Front], Coroutine[Any, Any, None]], ...] = (
    every_header_of_the_server_and_no_word_of_caddy,
    plain_http_is_sent_to_https,
    nobody_outside_asks_whether_it_is_ready,
    nothing_but_the_pages_files_is_compressed,
    a_body_may_be_as_long_as_the_servers_limit,
    another_sites_socket_is_refused,
    a_client_is_counted_by_its_own_address_whatever_it_says,
    two_people_talk,
    each_close_code_arrives,
    who_says_nothing_is_hung_up_on,
)


# --- running ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def started(caddy: str, kind: parts.ServerName) -> Iterator[Front]:
    """A stack in production, and Caddy before it."""
    with contextlib.ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="quarter-caddy-")))
        stack = Stack(home, {**SETTINGS, "DATABASE_URL": f"sqlite:///{home}/quarter.sqlite3"}, kind)
        held.callback(stack.end)
        config = home / "Caddyfile"
        config.write_text(_config(stack.url.rpartition(":")[2]))
        env = {
            "DOMAIN": "localhost",
            "HOME": str(home),
            "XDG_DATA_HOME": str(home),
            "PATH": os.environ["PATH"],
        }
        command = [caddy, "run", "--adapter", "caddyfile", "--config", str(config)]
        process = held.enter_context(subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL))
        held.callback(process.terminate)
        root = home / "caddy/pki/authorities/local/root.crt"
        wait_until(root.exists, what="Caddy's root")
        front = Front(stack, ssl.create_default_context(cafile=str(root)))
        wait_until(lambda: _answers(front), what="Caddy")
        os.environ["SSL_CERT_FILE"] = str(root)  # for the reference client
        yield front


def _config(port: str) -> str:
    shipped = (ROOT / "deploy/Caddyfile").read_text()
    here = f"{{\n\thttp_port {HTTP_PORT}\n\thttps_port {HTTPS_PORT}\n\tlocal_certs\n\tskip_install_trust\n"
    return shipped.replace("{\n", here, 1).replace("dynamic a web 8000", f"dynamic a localhost {port}")


def _answers(front: Front) -> bool:
    with contextlib.suppress(OSError):
        return front.ask("GET", "/healthz").status == 200
    return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soak.caddy", description=__doc__)
    parser.add_argument("caddy", nargs="?", default=shutil.which("caddy"), help="the program")
    parser.add_argument("--kind", choices=get_args(parts.ServerName), default="uvicorn")
    given = parser.parse_args()
    if given.caddy is None:
        sys.exit("Caddy is missing (Debian: apt-get install caddy).")
    code = 0
    with started(given.caddy, given.kind) as front:
        for check in CHECKS:
            try:
                asyncio.run(check(front))
            except (AssertionError, OSError, TimeoutError) as error:
                code, verdict = 1, f"BROKEN {error!r}"
            else:
                verdict = "held"
            sys.stdout.write(f"{check.__name__.replace('_', ' ')}: {verdict}\n")
            sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
