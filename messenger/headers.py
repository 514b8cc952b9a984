"""Security headers on every response.

Two policies: the page's, for everything, and the admin's, for its own path: Django's admin works without
inline scripts, but not with Trusted Types. Pictures, fonts, frames and requests come from our own origin or
not at all; `'self'` covers the websockets of the same origin too (CSP 3 §6.7.2.8).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from messenger import admin


def _policy(directives: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in directives.items())


_COMMON = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
PAGE_POLICY = _policy(
    {
        **_COMMON,
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        # Vue makes one policy of this name, for the templates that it compiled; nobody may make another.
        "trusted-types": "vue",
    }
)
_ADMIN = {
    # Its style sheets hold small pictures as data: URLs.
    "Content-Security-Policy": _policy({**_COMMON, "img-src": "'self' data:", "form-action": "'self'"}),
    # Under no-referrer a browser sends its forms with `Origin: null`, and Django takes them for forged.
    "Referrer-Policy": "same-origin",
}

_DENIED_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "X-DNS-Prefetch-Control": "off",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _DENIED_FEATURES),
}


class HeadersMiddleware:
    """Outermost, so that static files and errors have the headers too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        in_admin = settings.ADMIN_ENABLED and admin.in_admin(request)
        return dress(self.get_response(request), _ADMIN if in_admin else {})


def dress(response: HttpResponseBase, more: Mapping[str, str] = MappingProxyType({})) -> HttpResponseBase:
    """The response with all headers; `more` replaces some of them."""
    for name, value in {**HEADERS, **more}.items():
        response.headers[name] = value
    if settings.SECURE_HSTS_SECONDS:
        # Here and not by Django: it looks whether the request came by https, which a proxy may not say.
        seconds = settings.SECURE_HSTS_SECONDS
        response.headers["Strict-Transport-Security"] = f"max-age={seconds}; includeSubDomains; preload"
    if not response.has_header("Cache-Control"):
        response.headers["Cache-Control"] = "no-store"
    return response
