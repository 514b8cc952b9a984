"""What it stores."""

from django.db import models


class Message(models.Model):
    """A message of a room."""

    room = models.CharField(max_length=100, db_index=True)
    sender = models.PositiveSmallIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    objects: "models.Manager[Message]" = models.Manager()

    class Meta:
        app_label = "textbook"

    def __str__(self) -> str:
        return f"{self.room} {self.pk}"
