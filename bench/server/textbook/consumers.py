"""The tutorial's chat consumer, and a row for each message."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from bench.server.textbook.models import Message


class ChatConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """/ws/chat/ROOM/: what one says, all of the room are sent."""

    async def connect(self) -> None:
        self.room = self.scope["url_route"]["kwargs"]["room"]
        self.group = f"chat_{self.room}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: dict[str, Any], **more: Any) -> None:
        store = database_sync_to_async(Message.objects.create)
        await store(room=self.room, sender=content["sender"], text=content["message"])
        event = {"type": "chat.message", "sender": content["sender"], "message": content["message"]}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event: dict[str, Any]) -> None:
        """What was said in the room."""
        await self.send_json({"sender": event["sender"], "message": event["message"]})
