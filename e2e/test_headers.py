"""What production serves over TLS, as Mozilla's HTTP Observatory and Google's csp_evaluator see it."""

import base64
import hashlib
import json
import os
import re
import secrets
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from http.cookies import SimpleCookie
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from e2e import front
from e2e.front import Front
from e2e.stack import ROOT, Stack

SCAN = ROOT / "deploy" / "scan"
HIGH, MEDIUM_MAYBE = 10, 50  # of csp_evaluator's severities
REFUSED = (400, 403)  # what is no origin at all the server itself calls a bad request
NONE: Mapping[str, str] = MappingProxyType({})
COOKIES = {"Cookie": "sessionid=abc; csrftoken=def"}


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def production(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A stack with the settings of production, behind TLS; the admin is at /desk/."""
    directory = tmp_path_factory.mktemp("production")
    with front.opened(directory) as tls:
        stack = Stack(directory, _production(directory, tls), request.param)
        tls.serve(urlsplit(stack.url).port or 0)
        yield tls
        stack.end()


def _production(directory: Path, tls: Front) -> dict[str, str]:
    return {
        "QUARTER_ENV": "production",
        "QUARTER_SECRET_KEY": secrets.token_urlsafe(64),
        "QUARTER_HOSTS": "localhost",
        "QUARTER_ORIGINS": tls.url,
        "QUARTER_PROXY_COUNT": "1",
        "QUARTER_ADMIN_PATH": "desk/",
        "QUARTER_SECURITY_CONTACT": "mailto:security@quarter.example",
        "DATABASE_URL": f"sqlite:///{directory / 'production.sqlite3'}",
    }


class Answer:
    """Status, headers and body; several headers of one name can be told apart."""

    def __init__(self, status: int, headers: Message, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def ask(tls: Front, path: str, headers: Mapping[str, str] = NONE, data: bytes | None = None) -> Answer:
    trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(tls.certificate)))
    opener = urllib.request.build_opener(trusted, NoRedirect, urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(tls.url + path, data, dict(headers)), timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as answer:
        return Answer(answer.code, answer.headers, answer.read())


def scan(tls: Front, policies: list[str]) -> Any:
    """What both scanners say; see deploy/scan/scan.mjs."""
    if not (SCAN / "node_modules").is_dir():
        pytest.fail("The scanners are not installed: `make scan` installs them.", pytrace=False)
    environment = {"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": str(tls.certificate)}
    done = subprocess.run(
        ["node", "scan.mjs", tls.host, *policies],
        cwd=SCAN,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_observatory_gives_an_a_plus_with_ten_of_ten_and_csp_evaluator_finds_nothing_bad(
    production: Front,
) -> None:
    served = [ask(production, path).headers["Content-Security-Policy"] for path in ("/", "/desk/login/")]
    said = scan(production, served)
    failed = [name for name, test in said["tests"].items() if not test["pass"]]
    assert failed == []
    assert (said["scan"]["grade"], said["scan"]["testsPassed"], said["scan"]["testsQuantity"]) == (
        "A+",
        10,
        10,
    )
    # One is left: 'self' would be bad where a site hosts JSONP or what users upload, as this one does not.
    for findings in said["policies"]:
        assert [(each["directive"], each["severity"]) for each in findings] == [("script-src", MEDIUM_MAYBE)]


def test_the_scanners_find_what_is_bad(production: Front) -> None:
    """Else the test above would prove nothing."""
    [findings] = scan(production, ["script-src 'unsafe-inline' *"])["policies"]
    assert HIGH in {each["severity"] for each in findings}


PATHS = [
    "/",
    "/nowhere",
    "/api/nowhere",
    "/api/login",
    "/robots.txt",
    "/.well-known/security.txt",
    "/healthz",
]
PATHS += ["/favicon.ico", "/static/page/favicon.svg", "/static/nowhere", "/desk/login/", "/desk", "/admin/"]
PATHS += ["/?q=%ff"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_armoured_once(production: Front, path: str) -> None:
    """Each header is there exactly once: a second one would weaken some, and void others."""
    headers = ask(production, path).headers
    names = [name.lower() for name in headers]
    for name, value in {
        "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-origin",
    }.items():
        assert (names.count(name), headers[name]) == (1, value)
    for name in ("content-security-policy", "referrer-policy", "permissions-policy", "cache-control"):
        assert names.count(name) == 1
    assert "unsafe" not in headers["content-security-policy"]
    assert "x-robots-tag" in names
    assert "server" not in names


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/desk/")])
def test_nothing_but_the_admin_sets_or_deletes_a_cookie(production: Front, path: str) -> None:
    for sent in (NONE, COOKIES):
        assert ask(production, path, sent).headers.get_all("Set-Cookie") is None


def test_the_admins_cookies_are_strict_and_its_pages_are_kept_nowhere(production: Front) -> None:
    answer = ask(production, "/desk/login/")
    [cookie] = answer.headers.get_all("Set-Cookie") or []
    for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/desk/"):
        assert word in cookie
    assert "Domain" not in cookie
    assert "no-store" in answer.headers["Cache-Control"]
    assert "noindex" in answer.headers["X-Robots-Tag"]


def test_the_page_is_fetched_anew_and_its_files_are_kept_for_good(production: Front) -> None:
    page = ask(production, "/")
    assert page.headers["Cache-Control"] == "no-store"
    assets = re.findall(r'(?:src|href)="(/static/page/assets/[^"]+)"', page.body.decode())
    assert assets
    for path in assets:
        assert "immutable" in ask(production, path).headers["Cache-Control"]


def test_the_page_has_nothing_inline(production: Front) -> None:
    page = ask(production, "/").body.decode()
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", page) == []
    assert re.findall(r'(?:src|href)="(?!/)', page) == []


@pytest.fixture
def page(browser: Browser, production: Front) -> Iterator[Page]:
    """An empty tab that takes the certificate of the run."""
    with browser.new_context(ignore_https_errors=True, base_url=production.url) as context:
        yield context.new_page()


def test_a_browser_holds_no_cookie_and_hides_the_admins_from_the_page(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".late")).to_have_count(0)
    assert page.context.cookies() == []
    page.goto("/desk/")
    assert [cookie["name"] for cookie in page.context.cookies()] == ["csrftoken"]
    assert page.evaluate("document.cookie") == ""
    page.goto("/")
    assert page.evaluate("document.cookie") == ""


def test_every_file_that_the_page_names_is_named_with_its_hash(production: Front) -> None:
    html = ask(production, "/").body.decode()
    tags = re.findall(r"<script[^>]*>|<link[^>]*(?:stylesheet|preload)[^>]*>", html)
    assert len(tags) >= 2
    for tag in tags:
        [path] = re.findall(r' (?:src|href)="([^"]+)"', tag)
        digest = base64.b64encode(hashlib.sha384(ask(production, path).body).digest()).decode()
        assert f'integrity="sha384-{digest}"' in tag


@pytest.mark.parametrize("kind", ["js", "css"])
def test_a_file_with_one_byte_changed_is_not_run(page: Page, kind: str) -> None:
    """Its last byte, by a blank: nothing but the hash could mind."""
    changed = _hand_over(page, kind, lambda body: body[:-1] + b" ")
    with page.expect_console_message(lambda message: "integrity" in message.text):
        page.goto("/")
    assert changed == [True]
    page.wait_for_load_state()
    expect(page.locator(".late")).to_have_count(1 if kind == "js" else 0)
    assert page.evaluate("document.styleSheets.length") == (1 if kind == "js" else 0)


@pytest.mark.parametrize("kind", ["js", "css"])
def test_the_same_file_unchanged_is_run(page: Page, kind: str) -> None:
    """Else the test above would prove nothing."""
    changed = _hand_over(page, kind, lambda body: body)
    page.goto("/")
    expect(page.locator(".late")).to_have_count(0)
    assert page.evaluate("document.styleSheets.length") == 1
    assert changed == [False]


def _hand_over(page: Page, kind: str, alter: Callable[[bytes], bytes]) -> list[bool]:
    """The page's file of this kind goes through `alter`; the list will say whether it was changed by that."""
    changed: list[bool] = []

    def answer(route: Route) -> None:
        served = route.fetch()
        body = alter(served.body())
        changed.append(body != served.body())
        route.fulfill(response=served, body=body)

    page.route(f"**/assets/*.{kind}", answer)
    return changed


def test_who_finds_a_weakness_is_told_where_to_report_it(production: Front) -> None:
    answer = ask(production, "/.well-known/security.txt")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body.startswith(b"Contact: mailto:security@quarter.example\nExpires: 20")


def handshake(tls: Front, *more: str, host: str = "") -> int:
    """The status of a websocket's beginning, with just these further header lines."""
    lines = [f"Host: {host or tls.host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *more]
    port = int(tls.host.rpartition(":")[2])
    context = ssl.create_default_context(cafile=str(tls.certificate))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall("\r\n".join(["GET /ws/send/ HTTP/1.1", *lines, "", ""]).encode())
        return int(client.recv(4096).split()[1])


def test_only_a_page_of_this_very_origin_may_open_a_socket(production: Front) -> None:
    """The same host, port and scheme, to the letter, and said once."""
    host, port = production.host, production.host.rpartition(":")[2]
    assert handshake(production, f"Origin: {production.url}") == 101
    for origin in (
        "null",
        "",
        "*",
        f"http://{host}",
        "https://localhost",
        f"https://localhost:{int(port) ^ 1}",
        f"https://localhost:0{port}",
        f"HTTPS://{host}",
        f"https://LOCALHOST:{port}",
        f"https://localhost.:{port}",
        f"https://{host}/",
        f"https://{host}.mallory.example",
        f"https://mallory-{host}",
        f"https://mallory.example.{host}",
        f"https://{host}@mallory.example",
        f"https://mallory.example/{host}",
        f"https://{host}, https://mallory.example",
        f"https://127.0.0.1:{port}",
        f"wss://{host}",
    ):
        assert handshake(production, f"Origin: {origin}") in REFUSED, origin
    assert handshake(production) in REFUSED
    twice = (f"Origin: {production.url}", "Origin: https://mallory.example")
    for lines in (twice, tuple(reversed(twice)), (twice[0], twice[0])):
        assert handshake(production, *lines) in REFUSED, lines


@pytest.mark.parametrize("host", ["mallory.example", "localhost.mallory.example", "127.0.0.1", "a@localhost"])
def test_a_host_name_that_is_not_ours_gets_no_page_and_no_admin(production: Front, host: str) -> None:
    for path in ("/", "/api/login", "/desk/login/", "/robots.txt"):
        answer = ask(production, path, {"Host": host})
        assert answer.status == 400
        assert b"mallory" not in answer.body
        assert answer.headers.get_all("Set-Cookie") is None or path == "/desk/login/"


def test_an_operator_gets_a_fresh_session_and_loses_it_by_leaving(production: Front) -> None:
    """A session's id that somebody else chose is not taken over, and none lives on after logging out."""
    name, password = "operator", secrets.token_urlsafe(16)
    _make_operator(production, name, password)
    planted = "a" * 32
    form = ask(production, "/desk/login/", {"Cookie": f"sessionid={planted}"})
    csrf = _cookies(form)["csrftoken"]
    entered = _post(
        production, "/desk/login/", csrf, planted, username=name, password=password, next="/desk/"
    )
    assert entered.status == 302
    session, token = _cookies(entered)["sessionid"], _cookies(entered)["csrftoken"]
    assert session not in (planted, "")
    assert token != csrf
    [line] = [each for each in entered.headers.get_all("Set-Cookie") or [] if each.startswith("sessionid=")]
    for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/desk/"):
        assert word in line
    inside = {"Cookie": f"sessionid={session}; csrftoken={token}"}
    assert ask(production, "/desk/", inside).status == 200
    for path in ("/", "/api/login", "/nowhere", "/static/page/favicon.svg"):
        assert ask(production, path, inside).headers.get_all("Set-Cookie") is None
    assert _post(production, "/desk/logout/", token, session).status == 200
    assert ask(production, "/desk/", inside).status == 302


def _make_operator(tls: Front, name: str, password: str) -> None:
    """As `manage.py createsuperuser` does it, beside the running stack."""
    settings = {
        **_production(tls.certificate.parent, tls),
        "REDIS_URL": "redis://localhost",  # not asked; production wants one to be named
        "DJANGO_SUPERUSER_PASSWORD": password,
    }
    words = ["createsuperuser", "--no-input", "--username", name, "--email", "operator@localhost"]
    subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, **settings},
        check=True,
        timeout=60,
    )


def _cookies(answer: Answer) -> dict[str, str]:
    lines = answer.headers.get_all("Set-Cookie") or []
    return {name: each.value for line in lines for name, each in SimpleCookie(line).items()}


def _post(tls: Front, path: str, csrf: str, session: str, **fields: str) -> Answer:
    """A form of the admin, filled in."""
    page = ask(
        tls, path if "login" in path else "/desk/", {"Cookie": f"csrftoken={csrf}; sessionid={session}"}
    )
    hidden = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
    assert hidden
    headers = {"Cookie": f"csrftoken={csrf}; sessionid={session}", "Origin": tls.url}
    return ask(tls, path, headers, urlencode({"csrfmiddlewaretoken": hidden[1].decode(), **fields}).encode())
