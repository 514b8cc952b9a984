"""Two questions that a supervisor asks: does the process live, and can it do its work.

They are answered before Django looks at the Host header: whoever asks from inside knows no public name.
"""

from collections.abc import Callable, Mapping

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, JsonResponse

REDIS_SECONDS = 1.0
SAFE = ("GET", "HEAD")


class HealthMiddleware:
    """Answers GET and HEAD of /healthz and /readyz, passes on all else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = ANSWERS.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        return answer() if request.method in SAFE else HttpResponseNotAllowed(SAFE)


def alive() -> JsonResponse:
    """200: whoever answers lives."""
    return JsonResponse({"ok": True})


def ready() -> JsonResponse:
    """200 where database and Redis both answer, else 503; which one is said."""
    parts = {"database": database_answers(), "redis": redis_answers()}
    ok = all(parts.values())
    return JsonResponse({"ok": ok, **parts}, status=200 if ok else 503)


def database_answers() -> bool:
    """Whether the database answers a query (the pool waits its own timeout for a connection)."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return False
    return True


def redis_answers() -> bool:
    """Whether Redis answers within a second."""
    seconds = REDIS_SECONDS
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=seconds, socket_connect_timeout=seconds
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


ANSWERS: Mapping[str, Callable[[], JsonResponse]] = {"/healthz": alive, "/readyz": ready}
