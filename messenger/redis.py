"""One REDIS_URL, in the two spellings that its readers want.

redis-py (and so the channel layer) reads redis://, rediss:// and unix:///path?db=0; kombu (Celery) reads
the first two alike, but sockets as redis+socket:///path?virtual_host=0.
"""

from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ImproperlyConfigured

SCHEMES = ("redis", "rediss", "unix")


def check_url(url: str, name: str = "REDIS_URL") -> str:
    """`url` itself; ImproperlyConfigured for another scheme, by the setting's name."""
    if urlsplit(url).scheme not in SCHEMES:
        raise ImproperlyConfigured(f"{name} must begin with redis://, rediss:// or unix://.")
    return url


def broker_url(url: str) -> str:
    """`url` as kombu spells it."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={database}"
