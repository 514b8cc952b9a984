"""Mallory without a page: a user with a key of her own who speaks the wire (docs/DESIGN.md §4) by hand."""

import base64
import hashlib
import hmac
import json
import urllib.request
from collections.abc import Mapping
from typing import Any, cast

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from websockets.sync.client import ClientConnection, connect

WAIT_SECONDS = 60.0


class Outsider:
    """Logged in at `url` as a new user."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._private = rsa.generate_private_key(65537, 3072)
        self.token = self._log_in()

    def send(self, *frames: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What the sending socket answers to each of these frames, in order."""
        with self._socket("send") as socket:
            _say(socket, {"t": "hello", "token": self.token})
            assert _hear(socket)["t"] == "ready"
            return [self._ask(socket, frame) for frame in frames]

    def receive(self, cursors: Mapping[str, int]) -> list[dict[str, Any]]:
        """All that the receiving socket gives to one who claims to be in these sessions."""
        with self._socket("receive") as socket:
            _say(socket, {"t": "hello", "token": self.token, "cursors": cursors})
            heard = _hear_all(socket)
            _say(socket, {"t": "resync", "cursors": cursors})
            return heard + _hear_all(socket)

    def _ask(self, socket: ClientConnection, frame: Mapping[str, Any]) -> dict[str, Any]:
        _say(socket, frame)
        return _hear(socket)

    def _socket(self, name: str) -> ClientConnection:
        return connect(f"{self._url.replace('http', 'ws', 1)}/ws/{name}/", origin=cast(Any, self._url))

    def _log_in(self) -> str:
        modulus = self._private.public_key().public_numbers().n.to_bytes(384, "big")
        jwk = {"e": "AQAB", "kty": "RSA", "n": _b64u(modulus)}
        asked = self._post("/api/login/challenge", {"key": jwk})
        label = b"quarter/1 login" + self._url.encode()
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=label)
        secret = self._private.decrypt(base64.urlsafe_b64decode(asked["c"] + "=="), oaep)
        user_hash = hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest()
        proof = hmac.digest(secret, b"quarter/1 login proof" + user_hash, "sha256")
        return str(
            self._post("/api/login", {"challenge": asked["challenge"], "proof": _b64u(proof)})["token"]
        )

    def _post(self, path: str, body: object) -> dict[str, Any]:
        request = urllib.request.Request(
            self._url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Origin": self._url},
        )
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as response:
            return cast(dict[str, Any], json.load(response))


def _say(socket: ClientConnection, frame: Mapping[str, Any]) -> None:
    socket.send(msgspec.msgpack.encode(frame))


def _hear(socket: ClientConnection) -> dict[str, Any]:
    return cast(dict[str, Any], msgspec.msgpack.decode(socket.recv(WAIT_SECONDS, decode=False)))


def _hear_all(socket: ClientConnection) -> list[dict[str, Any]]:
    """What the receiving socket gives until it says that this is all."""
    heard = [_hear(socket)]
    while heard[-1]["t"] != "caught_up":
        heard.append(_hear(socket))
    return heard


def _b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
