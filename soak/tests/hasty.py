"""A server that breaks R1: it says `stored` before it is so. The soak must notice (test_soak.py)."""

import time
from collections.abc import Sequence

from messenger.asgi import application  # first, as it sets Django up

from chat import mailbox, writer  # isort: skip

__all__ = ["application"]

COMMIT_SECONDS = 1.0

_post, _post_batch = writer.Writer.post, mailbox.post_batch


def _hasty_post(self: writer.Writer, post: mailbox.Post, sender: writer.Sender) -> None:
    sender.stored(post.session, post.n)
    _post(self, post, sender)


def _slow_batch(posts: Sequence[mailbox.Post]) -> list[mailbox.Result]:
    time.sleep(COMMIT_SECONDS)
    return _post_batch(posts)


writer.Writer.post = _hasty_post  # type: ignore[method-assign]
mailbox.post_batch = _slow_batch
