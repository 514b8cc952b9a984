"""Client addresses: read in one place, and never kept as they are.

An address is only ever a key to count by, blinded under a random key that lives in this process's memory and
is replaced every hour. It is not stored, not logged, not put into Redis.
"""

import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

ROTATION_SECONDS = 3600
UNKNOWN = "unknown"


def of_scope(scope: Mapping[str, Any]) -> str:
    """The client's address, of http and websocket scopes alike; an IPv6 one as its /64: that is one client's.

    X-Forwarded-For is believed for as many hops as there are trusted proxies (QUARTER_PROXY_COUNT): each
    appends the address that it saw, so the client's stands that many places from the end.
    """
    client = scope.get("client")
    seen = [str(client[0])] if client else []
    if settings.PROXY_COUNT:
        seen = [*_forwarded(scope), *seen]
    place = min(settings.PROXY_COUNT + 1, len(seen))
    return _network_of(seen[-place]) if seen else UNKNOWN


def _forwarded(scope: Mapping[str, Any]) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(values).split(",") if hop.strip()]


def _network_of(text: str) -> str:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Blind:
    """Turns addresses into 16 bytes that mean nothing outside this process, nor an hour later."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._renew()

    def __call__(self, address: str) -> bytes:
        with self._lock:
            if self._clock() >= self._until:
                self._renew()
            return hmac.digest(self._key, address.encode(), "sha256")[:16]

    def _renew(self) -> None:
        self._key = secrets.token_bytes(32)
        self._until = self._clock() + ROTATION_SECONDS


blind = Blind()
