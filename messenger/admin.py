"""The admin site, plain, under Quarter's name, and the one place where there are cookies."""

from django.contrib.admin import AdminSite
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.middleware import csrf

PATH = "/admin/"


class QuarterAdminSite(AdminSite):
    site_header = "Quarter"
    site_title = "Quarter"
    index_title = "What the server holds"
    site_url = None


class SilentOutside:
    """Lets a middleware touch the responses of the admin alone; elsewhere it would answer stale cookies."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not request.path_info.startswith(PATH):
            return response
        touched: HttpResponseBase = super().process_response(request, response)  # type: ignore[misc]
        return touched


class SessionMiddleware(SilentOutside, sessions.SessionMiddleware):
    """Django's sessions, for the admin."""


class CsrfMiddleware(SilentOutside, csrf.CsrfViewMiddleware):
    """Django's protection of forms, for the admin."""
