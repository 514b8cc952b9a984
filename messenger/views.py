"""The page itself, what a crawler may see of it (nothing), and where to report a weakness."""

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

SECURITY_DAYS = 30  # the contact is true for as long as this server runs with it; a copy of it no longer
NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Quarter is not built yet</title>
<h1>The page is not built yet</h1>
<p>The server runs, but there is no page to show. Build it with <code>make build</code>, then start the server
again.</p>
</html>
"""


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The built page, never from a cache; 503 with the remedy where it was not built."""
    try:
        return HttpResponse((settings.PAGE_DIR / "index.html").read_bytes())
    except FileNotFoundError:
        return HttpResponse(NOT_BUILT, status=503)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Nothing here is for search engines."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Where to report a weakness (RFC 9116); 404 where the operator named no contact."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    expires = (timezone.now() + timedelta(days=SECURITY_DAYS)).strftime("%Y-%m-%dT00:00:00Z")
    text = f"Contact: {settings.SECURITY_CONTACT}\nExpires: {expires}\n"
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
def no_icon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for /favicon.ico where a page names no icon, as the admin's don't."""
    return HttpResponse(status=204, content_type="image/x-icon")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain("This request is not one that Quarter knows.", 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain("This is not allowed.", 403)


def forged(request: HttpRequest, reason: str) -> HttpResponse:
    """A form of the admin without its token, or from elsewhere."""
    return _plain("This form is too old or not ours. Please go back, reload, and try again.", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain("There is nothing here.", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _plain("Something went wrong here, not with you. Please try again.", 500)


def _plain(sentence: str, status: int) -> HttpResponse:
    # Django's own pages would ask for the CSRF token, and so set a cookie.
    return HttpResponse(f"{sentence}\n", content_type="text/plain", status=status)
