"""The paths of the two websockets."""

from django.urls import path

from chat.consumers import ReceiveConsumer, SendConsumer

websocket_urlpatterns = [
    path("ws/send/", SendConsumer.as_asgi()),
    path("ws/receive/", ReceiveConsumer.as_asgi()),
]
