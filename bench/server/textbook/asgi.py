"""Its application."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.server.textbook.settings")
django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from bench.server.textbook.consumers import ChatConsumer  # noqa: E402

consumer: Any = ChatConsumer.as_asgi()  # Django's path() expects views
application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/chat/<str:room>/", consumer)])})
