"""`python app.py PORT`: a chat on Flask-SocketIO as its documentation has it; runs in a venv of its own.

One process, a thread for each websocket (simple-websocket on Werkzeug), rooms, events in JSON, an
acknowledgement for each message. Nothing is stored: that is less than Quarter does, and makes it faster.
"""

import sys
from collections.abc import Mapping

from flask import Flask  # type: ignore[import-not-found]
from flask_socketio import SocketIO, emit, join_room  # type: ignore[import-untyped]


def join(data: Mapping[str, str]) -> str:
    """Enter a room."""
    join_room(data["room"])
    return "joined"


def message(data: Mapping[str, str]) -> str:
    """Hand a message on to the other one in the room; what is returned is the acknowledgement."""
    emit("message", data, to=data["room"], include_self=False)
    return "sent"


def main() -> None:
    app = Flask(__name__)
    server = SocketIO(app, async_mode="threading", cors_allowed_origins="*")
    server.on_event("join", join)
    server.on_event("message", message)
    server.run(app, host="127.0.0.1", port=int(sys.argv[1]), allow_unsafe_werkzeug=True)


if __name__ == "__main__":
    main()
