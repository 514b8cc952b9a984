"""The application, for Daphne and uvicorn alike.

http       limit of the body → Django
websocket  exact origin → the paths of chat.routing, all others refused
lifespan   the beginning of a process on uvicorn
"""

import gc
import os
from collections.abc import Mapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "messenger.settings")
django.setup(set_prefix=False)

from asgiref.sync import sync_to_async  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.exceptions import SuspiciousOperation  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.db import connections  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.urls import re_path  # noqa: E402

from chat import node  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402
from messenger import bodies, checks, headers, origins, views  # noqa: E402
from messenger.origins import Application, Receive, Scope, Send  # noqa: E402
from messenger.stack import preflight  # noqa: E402

# Daphne and uvicorn run no checks of their own.
checks.exit_on_errors()


class Handler(ASGIHandler):
    """Django's handler, which gives the database connection back after each request.

    Each request runs in a thread of its own, and CONN_MAX_AGE=None would leave its connection to the garbage
    collector.
    """

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().handle(scope, receive, send)
        finally:
            await sync_to_async(connections.close_all)()

    async def listen_for_disconnect(self, receive: Any) -> None:
        """As Django's, which raises: exception, task and request would hold each other for long after."""
        await receive()

    def create_request(self, scope: Any, body_file: Any) -> tuple[Any, Any]:
        """Refuse what Django can't even look at: a query that is no UTF-8, a charset that is no word.

        Django answers some of it with a bare page and a traceback in the log, and falls over the rest.
        """
        try:
            return self.request_class(scope, body_file), None
        except (ValueError, SuspiciousOperation) as error:
            return None, headers.dress(views.bad_request(HttpRequest(), error))


def without_root_path(inner: Application) -> Application:
    """Daphne believes the header Daphne-Root-Path, whoever sends it. Quarter always lives at the root."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "root_path": "", "headers": _without_root_path(scope)}, receive, send)

    return application


def _without_root_path(scope: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    return [header for header in scope["headers"] if header[0].lower() != b"daphne-root-path"]


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """A process's clock begins at startup and stops at shutdown; on Daphne the reactor begins it."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            node.current()
        else:
            await node.stop()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


# Channels routes to ASGI applications where Django's path() expects views.
nowhere: Any = origins.refuse

node.start_with_reactor()
application = ProtocolTypeRouter(
    {
        "http": without_root_path(bodies.limited(Handler())),
        "websocket": without_root_path(
            origins.checked(URLRouter([*websocket_urlpatterns, re_path(r"", nowhere)]))
        ),
        "lifespan": lifespan,
    }
)

# What was imported stays: the garbage collector need not walk through it again and again, nor look for
# rubbish after every 700 objects that a batch of messages makes (docs/decisions/9). It goes through what is
# young as often as chat/node.py lets it, and through everything, which takes long, seldom.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 2_000)
preflight.reserve_files()
