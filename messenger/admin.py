"""The admin site, plain, under Quarter's name, and the one place where there are cookies."""

from django.contrib.admin import AdminSite
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware import csrf

PATH = "/admin/"


class QuarterAdminSite(AdminSite):
    site_header = "Quarter"
    site_title = "Quarter"
    index_title = "What the server holds"
    site_url = None


class SessionMiddleware(sessions.SessionMiddleware):
    """Django's sessions, silent outside the admin; they would answer a stale cookie by deleting it."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        return super().process_response(request, response) if in_admin(request) else response


class CsrfMiddleware(csrf.CsrfViewMiddleware):
    """Django's protection of forms, silent outside the admin; it would answer a stale cookie by a new one."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return super().process_response(request, response) if in_admin(request) else response


def in_admin(request: HttpRequest) -> bool:
    """Whether the request is for a path of the admin."""
    return request.path_info.startswith(PATH)
