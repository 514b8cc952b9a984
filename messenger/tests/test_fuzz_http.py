"""Whatever comes over HTTP: an answer of our own, with all headers, and nothing changed or logged.

`FUZZ_RUNS=20000 pytest messenger/tests/test_fuzz_http.py` is the large run.
"""

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from messenger import rates
from messenger.headers import HEADERS
from messenger.tests.fuzz import digest, no_trouble, runs
from messenger.tests.wire import Answer, call

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),  # files are small
]

PATHS = [
    "/",
    "/api/login",
    "/api/login/challenge",
    "/healthz",
    "/readyz",
    "/robots.txt",
    "/favicon.ico",
    "/admin/",
    "/admin/login/",
    "/admin/chat/session/",
    "/admin/jsi18n/",
    "/static/page/favicon.svg",
    "/static/page/assets/",
    "/static/",
]
TRAVERSALS = [
    "/../messenger/settings.py",
    "/static/../../manage.py",
    "/static/page/../../../manage.py",
    "/static/page//etc/passwd",
    "/static/page/..\\..\\manage.py",
    "/static/page/\0",
    "/static/page/favicon.svg\0.html",
    "/static/page/%2e%2e/%2e%2e/manage.py",
    "/static/page/....//manage.py",
    "//etc/passwd",
    "/static/page/\udc80",
    "/static/page/" + "a" * 5000,
    "/admin/chat/session/\0/change/",
    "/api/login\n",
    "/healthz\0",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "BREW", ""]
CONTENT_TYPES = [
    "application/json",
    "application/json; charset=hex",
    "application/json; charset=a\0b",
    "application/json; charset*=foo''bar",
    "application/json; charset*=utf-8''a%00b",
    "application/json;" + ";" * 5000,
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=x; charset=utf-16",
    "multipart/form-data; boundary=" + "x" * 5000,
    "application/x-www-form-urlencoded; charset=utf-7",
    "\xff",
    "",
]
LENGTHS = ["-1", "0", "1e3", "99999999999999999999", "0x10", "", " 5", "5, 5", "\xb2"]
HOSTS = [
    "localhost:8000",
    "mallory.example",
    "localhost:99999999",
    "[::1",
    "localhost\0",
    "",
    "\xff",
    "a" * 5000,
]
COOKIES = [
    'sessionid="abcdefgh\\000"',
    "sessionid=" + "a" * 9000,
    'csrftoken="\\000"; sessionid="\\377\\377\\377\\377\\377\\377\\377\\377"',
    "messages=\xff; sessionid=../../etc/passwd",
    "=;=;;=",
    "sessionid",
]
BODIES = [
    b"",
    b"{",
    b'{"key": {"kty": "RSA", "e": "AQAB", "n": "\\u0000"}}',
    b'{"key": {}, "key": {}}',
    b'{"challenge": "AAAAAAAAAAAAAAAAAAAAAA\\n", "proof": "\\ud800"}',
    b"[" * 50_000,
    b"1" * 5000,
    b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n\xff\r\n--x--\r\n',
    b"--x\r\n" * 2000,
    b"a=1&" * 3000,
    b"username=%00&password=%ff&next=%0d%0aX: y",
    b"\xff\xfe\x00",
]
ORIGINS = ["http://localhost:8000", "null", "", "http://localhost:8000\0", "\xff", "http://localhost:8000, x"]


def some(values: list[str]) -> SearchStrategy[str]:
    """One of these, or any text that a header may hold."""
    return st.sampled_from(values) | st.text(st.characters(max_codepoint=255), max_size=30)


REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(METHODS) | st.text(st.characters(max_codepoint=127), max_size=9),
        "path": st.sampled_from(PATHS) | st.sampled_from(TRAVERSALS) | st.text(max_size=40).map("/".__add__),
        "query": st.sampled_from([b"", b"\xff", b"next=//mallory.example", b"a=1&" * 3000, b"%00=%ff"])
        | st.binary(max_size=30),
        "body": st.sampled_from(BODIES)
        | st.binary(max_size=200)
        | st.lists(st.binary(max_size=50), min_size=1),
        "headers": st.fixed_dictionaries(
            {},
            optional={
                "host": st.sampled_from(HOSTS),
                "content-type": some(CONTENT_TYPES),
                "content-length": some(LENGTHS),
                "content-encoding": some(["gzip", "br"]),
                "transfer-encoding": some(["chunked", "identity, chunked"]),
                "origin": some(ORIGINS),
                "cookie": some(COOKIES),
                "accept-encoding": some(["gzip, br;q=0", "*", ";q=\xff"]),
                "if-none-match": some(['"x"', "*", "W/"]),
                "if-modified-since": some(["Thu, 99 Foo 0000", "0"]),
                "range": some(["bytes=0-", "bytes=-99999999999999", "bytes=5-1", "bytes=0-0,0-0"]),
                "x-forwarded-for": some(["::1%eth0", "1.2.3.4, x"]),
                "x-forwarded-host": some(["mallory.example"]),
                "x-http-method-override": some(["DELETE"]),
            },
        ),
    }
)


def test_every_request_has_an_answer_of_ours_and_changes_nothing() -> None:
    before = digest()

    @runs(100)
    @given(REQUESTS)
    def tried(request: dict[str, Any]) -> None:
        rates.reset()
        with no_trouble():
            check(asyncio.run(call(**request)))
        assert digest() == before

    tried()


def check(answer: Answer) -> None:
    """It is no error of ours, and has the headers that everything has."""
    assert answer.status < 500
    if answer.status != 413:
        missing = HEADERS.keys() - {name.title() for name in answer.headers}
        assert {name for name in missing if name.lower() not in answer.headers} == set()
    assert b"Traceback" not in answer.body
    assert b"SECRET_KEY" not in answer.body
    assert b"root:" not in answer.body


@pytest.mark.parametrize("path", TRAVERSALS)
async def test_no_path_leads_out_of_the_pages_files(path: str) -> None:
    answer = await call("GET", path)
    assert answer.status in (301, 302, 404)


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize("query", [b"", b"\xff", b"a=1&" * 3000])
async def test_no_content_type_and_no_query_makes_the_server_stumble(content_type: str, query: bytes) -> None:
    with no_trouble():
        check(await call("POST", "/admin/login/", query=query, headers={"content-type": content_type}))


@pytest.mark.parametrize("cookie", COOKIES)
async def test_no_cookie_makes_the_admin_stumble(cookie: str) -> None:
    with no_trouble():
        check(await call("GET", "/admin/", headers={"cookie": cookie}))


# --- the one form -----------------------------------------------------------------------------------

FIELDS = ["username", "password", "next", "csrfmiddlewaretoken", "more"]


def test_whatever_is_put_into_the_admins_login_nobody_gets_in() -> None:
    before = digest()
    values = st.sampled_from(
        ["\0", "admin", "' OR 1=1 --", "a" * 5000, "\ud800", "é", "//mallory.example", ""]
    )

    @runs(30)
    @given(st.dictionaries(st.sampled_from(FIELDS), values | st.text(), max_size=5), st.booleans())
    def tried(fields: dict[str, str], as_form: bool) -> None:
        rates.reset()
        with no_trouble():
            answer = asyncio.run(log_in(fields, as_form))
            check(answer)
            assert answer.status in (200, 400, 403)
        assert digest() == before

    tried()


async def log_in(fields: dict[str, str], as_form: bool) -> Answer:
    form = await call("GET", "/admin/login/")
    token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', form.body.decode())[0]
    cookie = form.headers["set-cookie"].partition(";")[0]
    written = {"csrfmiddlewaretoken": token, **fields}
    body = multipart(written) if as_form else urlencoded(written)
    content_type = "multipart/form-data; boundary=x" if as_form else "application/x-www-form-urlencoded"
    headers = {"cookie": cookie, "content-type": content_type, "origin": "http://localhost:8000"}
    return await call("POST", "/admin/login/", body=body, headers=headers)


def urlencoded(fields: dict[str, str]) -> bytes:
    return b"&".join(
        name.encode()
        + b"="
        + "".join(f"%{byte:02x}" for byte in value.encode(errors="surrogatepass")).encode()
        for name, value in fields.items()
    )


def multipart(fields: dict[str, str]) -> bytes:
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.encode(), value.encode(errors="surrogatepass"))
        for name, value in fields.items()
    )
    return b"".join(parts) + b"--x--\r\n"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_health_is_only_asked_for(method: str, path: str) -> None:
    answer = await call(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
