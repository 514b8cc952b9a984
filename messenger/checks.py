"""System checks: what Quarter refuses to run with.

    E001 | production | QUARTER_SECRET_KEY is missing or weak
    E002 | production | QUARTER_DEBUG is on
    E003 | production | QUARTER_HOSTS is empty, or has a wildcard
    E004 | production | QUARTER_ORIGINS is empty, or has an origin without https
    E005 | everywhere | an origin is not as a browser writes it
    E006 | production | DATABASE_URL is not given
    E007 | production | REDIS_URL is not given
    E008 | everywhere | the times contradict each other
    E009 | everywhere | the limits contradict each other
    E010 | everywhere | QUARTER_ADMIN_PATH is no plain path, or one of the server's own
    E011 | everywhere | QUARTER_SECURITY_CONTACT is not an address that a browser could open
    W001 | production | QUARTER_PROXY_COUNT is 0 (only with check --deploy)
    W002 | PostgreSQL | its user may not free deleted bytes (with migrate, and check --database default)

Django's commands run them. Web server, worker and beat would start without: they call `exit_on_errors`.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

KEY_CHARS = 50
KEY_DIFFERENT_CHARS = 10
ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[1-9][0-9]{0,4})?")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
ADMIN_PATH = re.compile(r"(?!(api|ws|static|healthz|readyz)/)[A-Za-z0-9_-]+/")
#: What PostgreSQL's user needs to free bytes → whether it has it.
RIGHTS = {
    "GRANT pg_checkpoint TO {0}; (before PostgreSQL 15 it must be a superuser)": (
        "rolsuper OR EXISTS ("
        "SELECT FROM pg_roles WHERE rolname = 'pg_checkpoint' AND pg_has_role(oid, 'USAGE'))"
    ),
    "GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {0};": (
        "has_function_privilege('pg_switch_wal()', 'EXECUTE')"
    ),
    "ALTER TABLE … OWNER TO {0}; for each of Quarter's tables": (
        "NOT EXISTS (SELECT FROM pg_class WHERE relname = ANY(%s) AND NOT pg_has_role(relowner, 'USAGE'))"
    ),
}
CONTACT = re.compile(r"(mailto:[!-?A-~]+@|https://)[!-~]+")


@register()
def settings_errors(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """All errors of the settings; those of production only there."""
    found = list(_everywhere())
    if settings.PRODUCTION:
        found += _in_production()
    return found


@register(deploy=True)
def deploy_warnings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What is likely a mistake, but may be meant."""
    if not settings.PRODUCTION or settings.PROXY_COUNT:
        return []
    hint = "Behind a proxy all clients share its address, and so its limits. Set it to the number of proxies."
    return [Warning("QUARTER_PROXY_COUNT is 0.", hint=hint, id="quarter.W001")]


@register(Tags.database)
def database_warnings(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """What PostgreSQL's user may not do: nothing fails without it, and deleted bytes stay."""
    if not databases or connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        tables = connection.introspection.django_table_names()
        query = f"SELECT rolname, {', '.join(RIGHTS.values())} FROM pg_roles WHERE rolname = current_user"  # noqa: S608
        cursor.execute(query, [tables])
        user, *has = cursor.fetchone()
    remedies = [remedy.format(user) for remedy, is_there in zip(RIGHTS, has, strict=True) if not is_there]
    return [
        Warning("PostgreSQL keeps the bytes of what was deleted.", hint=remedy, id="quarter.W002")
        for remedy in remedies
    ]


def exit_on_errors() -> None:
    """Print the errors to standard error and leave with SystemExit 1, where there are any."""
    errors = settings_errors(None)
    if errors:
        sys.exit("Quarter does not start:\n" + "\n".join(f"  {error}" for error in errors))


def _in_production() -> Iterator[CheckMessage]:
    key = _secret_key()
    if len(key) < KEY_CHARS or len(set(key)) < KEY_DIFFERENT_CHARS:
        hint = 'Make one: python -c "import secrets; print(secrets.token_urlsafe(64))"'
        yield Error("QUARTER_SECRET_KEY is missing or weak.", hint=hint, id="quarter.E001")
    if settings.DEBUG:
        yield Error("QUARTER_DEBUG shows internals to everyone.", hint="Leave it out.", id="quarter.E002")
    if not settings.ALLOWED_HOSTS or any("*" in host or host[0] == "." for host in settings.ALLOWED_HOSTS):
        hint = "Name each host: QUARTER_HOSTS=quarter.example"
        yield Error("QUARTER_HOSTS is empty or has a wildcard.", hint=hint, id="quarter.E003")
    if not settings.ALLOWED_ORIGINS or not all(
        each.startswith("https://") for each in settings.ALLOWED_ORIGINS
    ):
        hint = "QUARTER_ORIGINS=https://quarter.example (browsers have no WebCrypto without https)"
        yield Error("QUARTER_ORIGINS is empty or has an origin without https.", hint=hint, id="quarter.E004")
    if not settings.DATABASE_GIVEN:
        hint = "DATABASE_URL=postgres://user:password@host/name, or sqlite:////path for a single machine"
        yield Error("DATABASE_URL is not given.", hint=hint, id="quarter.E006")
    if not settings.REDIS_GIVEN:
        hint = (
            "REDIS_URL=redis://host:6379/0 (`manage.py run` starts a Valkey of its own, and says so itself)"
        )
        yield Error("REDIS_URL is not given.", hint=hint, id="quarter.E007")


def _secret_key() -> str:
    try:
        return settings.SECRET_KEY
    except ImproperlyConfigured:  # Django's answer to whoever reads an empty one
        return ""


def _everywhere() -> Iterator[CheckMessage]:
    for origin in sorted(settings.ALLOWED_ORIGINS):
        if not is_origin(origin):
            hint = "scheme://host or scheme://host:port, in lower case, no path, no slash, no default port"
            yield Error(f"QUARTER_ORIGINS: {origin!r} is not an origin.", hint=hint, id="quarter.E005")
    if not settings.TTL_MIN_SECONDS <= settings.TTL_SECONDS <= settings.TTL_MAX_SECONDS:
        hint = "QUARTER_TTL_MIN_SECONDS ≤ QUARTER_TTL_SECONDS ≤ QUARTER_TTL_MAX_SECONDS"
        yield Error("The times to live contradict each other.", hint=hint, id="quarter.E008")
    if settings.IDENTITY_IDLE_SECONDS < settings.TTL_MAX_SECONDS:
        hint = (
            "QUARTER_IDENTITY_IDLE_SECONDS ≥ QUARTER_TTL_MAX_SECONDS, or users go before their conversations"
        )
        yield Error("Users would be erased too early.", hint=hint, id="quarter.E008")
    if not ADMIN_PATH.fullmatch(settings.ADMIN_PATH):
        hint = "One word of letters, digits, - and _, then a slash; not api, ws, static, healthz, readyz."
        yield Error("QUARTER_ADMIN_PATH can't be the admin's.", hint=hint, id="quarter.E010")
    if settings.SECURITY_CONTACT and not CONTACT.fullmatch(settings.SECURITY_CONTACT):
        hint = "mailto:security@quarter.example or https://quarter.example/security"
        yield Error("QUARTER_SECURITY_CONTACT is no contact.", hint=hint, id="quarter.E011")
    yield from _limits()


def _limits() -> Iterator[CheckMessage]:
    limits = settings.LIMITS
    ascending = {
        "QUARTER_LIMIT_TEXT_BYTES < QUARTER_LIMIT_FRAME_BYTES": limits.text_bytes < limits.frame_bytes,
        "QUARTER_LIMIT_FRAME_BYTES ≤ QUARTER_LIMIT_WINDOW_BYTES": limits.frame_bytes <= limits.window_bytes,
        "QUARTER_LIMIT_FRAME_BYTES ≤ QUARTER_LIMIT_SESSION_BYTES": limits.frame_bytes <= limits.session_bytes,
        "QUARTER_LIMIT_FILE_BYTES ≤ QUARTER_LIMIT_SESSION_FILE_BYTES": limits.file_bytes
        <= limits.session_file_bytes,
    }
    for rule, kept in ascending.items():
        if not kept:
            yield Error("The limits contradict each other.", hint=f"It must be {rule}.", id="quarter.E009")


def is_origin(text: str) -> bool:
    """Whether `text` is an origin as URL.origin writes it."""
    scheme = text.partition(":")[0]
    return bool(ORIGIN.fullmatch(text)) and not text.endswith(DEFAULT_PORTS.get(scheme, " "))
