"""What a browser gets: the page, its files, and the headers around them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

from messenger.headers import HeadersMiddleware
from messenger.tests.wire import call


@pytest.fixture
def built(settings: Any, tmp_path: Path) -> Path:
    """A built page."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-BX3k9d_a.js").write_text("export {}")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "index.html").write_text("<!doctype html><title>Quarter</title>")
    settings.PAGE_DIR = tmp_path
    settings.STATICFILES_DIRS = [("page", tmp_path)]
    return tmp_path


async def test_the_page_is_served_at_the_root(built: Path) -> None:
    answer = await call("GET", "/")
    assert answer.status == 200
    assert b"<title>Quarter</title>" in answer.body
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_page_that_was_not_built_is_said_so_with_the_remedy(settings: Any, tmp_path: Path) -> None:
    settings.PAGE_DIR = tmp_path
    answer = await call("GET", "/")
    assert answer.status == 503
    assert b"make build" in answer.body


async def test_the_page_sets_no_cookie(built: Path) -> None:
    for path in ("/", "/robots.txt", "/nowhere", "/healthz"):
        answer = await call("GET", path, headers={"cookie": "sessionid=x; csrftoken=y"})
        assert "set-cookie" not in answer.headers
        assert "vary" not in answer.headers


async def test_the_page_may_load_and_speak_to_nothing_but_its_own_origin(built: Path) -> None:
    policy = directives((await call("GET", "/")).headers["content-security-policy"])
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["trusted-types"] == "vue"
    assert not any(word in " ".join(policy.values()) for word in ("unsafe", "http", "*", "data:", "blob:"))


@pytest.mark.parametrize("path", ["/", "/nowhere", "/robots.txt", "/healthz", "/api/login", "/favicon.ico"])
@pytest.mark.django_db(transaction=True)
async def test_every_answer_has_the_headers(path: str) -> None:
    headers = (await call("GET", path)).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


async def test_https_is_asked_for_in_production_alone(settings: Any) -> None:
    def plain(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    request = RequestFactory().get("/")
    assert not HeadersMiddleware(plain)(request).has_header("Strict-Transport-Security")
    settings.SECURE_HSTS_SECONDS = 63072000
    response = HeadersMiddleware(plain)(request)
    assert response["Strict-Transport-Security"].startswith("max-age=63072000")


def test_files_with_a_hash_in_their_name_are_kept_for_good(built: Path) -> None:
    files = WhiteNoiseMiddleware(lambda request: HttpResponse(status=404))

    def get(path: str) -> Any:
        return HeadersMiddleware(files)(RequestFactory().get(path))

    hashed = get("/static/page/assets/index-BX3k9d_a.js")
    hashed.close()
    assert hashed.status_code == 200
    assert hashed["Content-Type"].startswith("text/javascript")
    assert "immutable" in hashed["Cache-Control"]
    assert not hashed.has_header("Access-Control-Allow-Origin")
    unhashed = get("/static/page/favicon.svg")
    unhashed.close()
    assert "immutable" not in unhashed["Cache-Control"]
    assert "default-src 'none'" in unhashed["Content-Security-Policy"]
    assert get("/static/page/../../manage.py").status_code == 404


async def test_crawlers_are_sent_away() -> None:
    answer = await call("GET", "/robots.txt")
    assert answer.body == b"User-agent: *\nDisallow: /\n"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"


async def test_who_finds_a_weakness_is_told_where_to_report_it(settings: Any) -> None:
    """RFC 9116: Contact and Expires, the latter within a year."""
    path = "/.well-known/security.txt"
    assert (await call("GET", path)).status == 404
    settings.SECURITY_CONTACT = "mailto:security@quarter.example"
    answer = await call("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    contact, expires = answer.body.decode().splitlines()
    assert contact == "Contact: mailto:security@quarter.example"
    name, _, until = expires.partition(": ")
    left = datetime.fromisoformat(until) - datetime.now(UTC)
    assert name == "Expires"
    assert timedelta(days=7) < left < timedelta(days=365)


def directives(policy: str) -> dict[str, str]:
    return dict(each.split(" ", 1) for each in policy.split("; "))
