"""The admin site, plain, under Quarter's name, and the one place where there are cookies."""

import math
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import middleware as auth
from django.contrib.auth.forms import UsernameField
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware import csrf

from messenger import addresses, rates

LOGINS_PER_MINUTE = 10  # from one client address
NAME_LOGINS_PER_MINUTE = 20  # in one name, from wherever; more than that, or one address could lock it out


class QuarterAdminSite(AdminSite):
    site_header = "Quarter"
    site_title = "Quarter"
    index_title = "What the server holds"
    site_url = None

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's; each password that is tried costs a third of a second of computing, so few may be."""
        seconds = _spend(request) if request.method == "POST" else None
        if seconds is None:
            return super().login(request, extra_context)
        sentence = "Too many attempts. Please wait a minute.\n"
        return HttpResponse(sentence, "text/plain", 429, headers={"Retry-After": str(math.ceil(seconds))})


def _spend(request: HttpRequest) -> float | None:
    """Count an attempt; the seconds to wait where its address or its name had too many, else None.

    The name is read as Django's form reads it: as written, blanks around it would make another one of it.
    """
    address = addresses.of_scope(getattr(request, "scope", {}))
    name = str(UsernameField().to_python(request.POST.get("username", "")))
    refused = rates.spend("admin", LOGINS_PER_MINUTE, address)
    return refused or rates.spend("admin_name", NAME_LOGINS_PER_MINUTE, name)


class OnlyInAdmin:
    """Mixed into a middleware that all other requests pass by.

    It would answer their stale cookies, and tie each into a cycle: who asked would stay in memory until the
    garbage collector comes by.
    """

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if in_admin(request) else self.get_response(request)  # type: ignore[misc]


class SessionMiddleware(OnlyInAdmin, sessions.SessionMiddleware):
    """Django's sessions.

    A key that Django would not make is none: in a quoted cookie it may hold a NUL, and PostgreSQL no such
    text.
    """

    def process_request(self, request: HttpRequest) -> None:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        if not (key.isascii() and key.isalnum()):
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        super().process_request(request)


class AuthenticationMiddleware(OnlyInAdmin, auth.AuthenticationMiddleware):
    """Django's."""


class MessageMiddleware(OnlyInAdmin, messages.MessageMiddleware):
    """Django's."""


class CsrfMiddleware(csrf.CsrfViewMiddleware):
    """Django's protection of forms, silent outside the admin; it would answer a stale cookie by a new one."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return super().process_response(request, response) if in_admin(request) else response


def in_admin(request: HttpRequest) -> bool:
    """Whether the request is for a path of the admin."""
    return request.path_info.startswith(f"/{settings.ADMIN_PATH}")
