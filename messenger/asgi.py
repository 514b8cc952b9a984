"""The application, for Daphne and uvicorn alike."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "messenger.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": ASGIHandler(),
        "websocket": URLRouter(websocket_urlpatterns),
    }
)
