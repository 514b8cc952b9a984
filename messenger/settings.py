"""All settings, from the environment (see messenger/env.py and .env.example).

Without any, this is development on one machine: a key of its own, an SQLite file, and Valkey as `manage.py
run` starts it. QUARTER_ENV=production changes no default silently; it makes messenger/checks.py refuse what
is not fit for it.
"""

from pathlib import Path
from typing import Any

from messenger import keyfile, limits, logs, redis
from messenger.env import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = env = Environment()

# --- What kind of place this is ---------------------------------------------------------------------------

ENVIRONMENT = env.choice(
    "QUARTER_ENV",
    "development",
    ("development", "production"),
    "production refuses to start with unsafe settings",
)
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.switch(
    "QUARTER_DEBUG", False, "Django's debug pages; they show internals, so never in production"
)
# Off even in development: what a developer sees is then what a user gets.

DATA_DIR = Path(
    env.text(
        "QUARTER_DATA_DIR",
        str(BASE_DIR / "var"),
        "where the SQLite file, the development key and sockets rest",
    )
).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

SECRET_KEY = env.text(
    "QUARTER_SECRET_KEY", "", "signs the admin's sessions, 50 characters or more; required in production"
)
if not SECRET_KEY and not PRODUCTION:
    SECRET_KEY = keyfile.read_or_make(DATA_DIR)

# --- Names and addresses ----------------------------------------------------------------------------------

ALLOWED_HOSTS = env.words(
    "QUARTER_HOSTS",
    ["localhost", "127.0.0.1", "[::1]"],
    "host names that are answered, no wildcard in production",
)
ALLOWED_ORIGINS = frozenset(
    env.words(
        "QUARTER_ORIGINS",
        []
        if PRODUCTION
        else [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in (8000, 5173)],
        "origins of the page, exactly as the browser says them: https://quarter.example",
    )
)
CSRF_TRUSTED_ORIGINS = sorted(ALLOWED_ORIGINS)  # the admin's forms
PROXY_COUNT = env.number(
    "QUARTER_PROXY_COUNT", 0, "trusted proxies in front: how many last hops of X-Forwarded-For are believed"
)
if PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURITY_CONTACT = env.text(
    "QUARTER_SECURITY_CONTACT",
    "",
    "where to report a weakness, mailto:… or https://…; /.well-known/security.txt says it",
)

# --- Times and limits -------------------------------------------------------------------------------------

TTL_SECONDS = env.positive("QUARTER_TTL_SECONDS", 900, "a conversation ends so long after its last message")
TTL_MIN_SECONDS = env.positive("QUARTER_TTL_MIN_SECONDS", 60, "the shortest such time that a user can choose")
TTL_MAX_SECONDS = env.positive(
    "QUARTER_TTL_MAX_SECONDS",
    86400,
    "the longest such time, and the hard end of every conversation after its beginning",
)
SWEEP_SECONDS = env.positive("QUARTER_SWEEP_SECONDS", 15, "how often expired rows are deleted")
REWRITE_MIB = env.number(
    "QUARTER_REWRITE_MIB",
    64,
    "PostgreSQL: tables of up to so many MiB are rewritten by a sweep, so that nothing deleted stays in them",
)
IDENTITY_IDLE_SECONDS = env.positive(
    "QUARTER_IDENTITY_IDLE_SECONDS", 172800, "a user who was not seen for so long is erased"
)
CHALLENGE_SECONDS = env.positive("QUARTER_CHALLENGE_SECONDS", 60, "time to answer a login challenge")
LIMITS = limits.read(env)
DATA_UPLOAD_MAX_MEMORY_SIZE = LIMITS.http_body_bytes

# --- Applications -----------------------------------------------------------------------------------------

ADMIN_ENABLED = env.switch("QUARTER_ADMIN", True, "the admin; false takes it away altogether")
ADMIN_PATH = env.text(
    "QUARTER_ADMIN_PATH", "admin/", "where the admin is: one word of letters, digits, - and _, with a slash"
)

INSTALLED_APPS = [
    "messenger.apps.MessengerConfig",
    "messenger.apps.QuarterAdminConfig",
    "accounts.apps.AccountsConfig",
    "chat.apps.ChatConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "messenger.headers.HeadersMiddleware",
    "messenger.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Sessions, CSRF, authentication and messages are the admin's alone.
    "messenger.admin.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "messenger.admin.CsrfMiddleware",
    "messenger.admin.AuthenticationMiddleware",
    "messenger.admin.MessageMiddleware",
]

ROOT_URLCONF = "messenger.urls"
ASGI_APPLICATION = "messenger.asgi.application"
APPEND_SLASH = False

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database ---------------------------------------------------------------------------------------------

DATABASE = env.database(
    "DATABASE_URL",
    f"sqlite:///{DATA_DIR / 'quarter.sqlite3'}",
    "sqlite:///path or postgres://user:password@host/name",
)
POOL_SIZE = env.positive("QUARTER_POOL_SIZE", 8, "PostgreSQL connections that one process may hold")

if DATABASE["ENGINE"].endswith("sqlite3"):
    DATABASE |= {
        "ENGINE": "messenger.sqlite",
        "CONN_MAX_AGE": None,  # opening the file for each request costs more than the query
        "OPTIONS": {
            # A transaction that begins by reading can't become a writing one while another writes: it fails
            # at once, whatever the timeout. So all begin as writing ones.
            "transaction_mode": "IMMEDIATE",
            "timeout": 5,
            # FULL: `stored` is said after COMMIT and must survive the power cut. secure_delete: freed bytes
            # are overwritten with zeroes. temp_store: what a statement may have to undo is not written to
            # /var/tmp. foreign_keys is Django's own doing.
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA secure_delete=ON;"
            "PRAGMA temp_store=MEMORY",
        },
    }
else:
    DATABASE |= {
        "CONN_MAX_AGE": 0,  # the pool keeps connections; Django refuses both at once
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": POOL_SIZE, "timeout": 5},
            "connect_timeout": 3,
            **DATABASE.get("OPTIONS", {}),
        },
    }
DATABASES = {"default": DATABASE}
DATABASE_GIVEN = env.is_given("DATABASE_URL")

# --- Redis: hints between processes, and Celery's broker --------------------------------------------------

_EMBEDDED = DATA_DIR / "run" / "valkey.sock"
REDIS_URL = redis.check_url(
    env.text("REDIS_URL", f"unix://{_EMBEDDED}", "redis://, rediss:// or unix:///path; Redis 7 or Valkey")
)
REDIS_GIVEN = env.is_given("REDIS_URL") or _EMBEDDED.exists()  # beside a running `manage.py run`
# Each user's hints go through one of them, chosen by a hash of the group's name.
_HINT_URLS = env.words("QUARTER_HINT_URLS", [], "Redis servers of the hints, a comma between (REDIS_URL)")
HINT_URLS = [redis.check_url(url, "QUARTER_HINT_URLS") for url in _HINT_URLS] or [REDIS_URL]
# The pub/sub layer, as the core layer drops messages at its capacity without an error (docs/DESIGN.md §8).
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": HINT_URLS, "prefix": "quarter"},
    }
}

CELERY_BROKER_URL = redis.broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,  # the task of a killed worker is given again so much later
    "global_keyprefix": "quarter:",
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 50
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True  # the next sweep does its work
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "chat.tasks.sweep",
        "schedule": float(SWEEP_SECONDS),
        "options": {"expires": SWEEP_SECONDS},  # no heap of old sweeps after a pause of the worker
    }
}

# --- The page and its files -------------------------------------------------------------------------------

PAGE_DIR = Path(env.text("QUARTER_PAGE_DIR", str(BASE_DIR / "frontend" / "dist"), "the built page")).resolve()
STATIC_URL = "/static/"
STATICFILES_DIRS: list[tuple[str, Path]] = [("page", PAGE_DIR)] if PAGE_DIR.is_dir() else []
# The files of apps are the admin's alone, and go with it.
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    *(["django.contrib.staticfiles.finders.AppDirectoriesFinder"] if ADMIN_ENABLED else []),
]
WHITENOISE_USE_FINDERS = (
    True  # a start needs no collectstatic; files are indexed once, when the server starts
)
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_IMMUTABLE_FILE_TEST = (
    r"^/static/page/assets/"  # all there have a hash of their content in the name
)

# --- The admin's cookies; nothing else sets any -----------------------------------------------------------

CSRF_FAILURE_VIEW = "messenger.views.forged"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"/{ADMIN_PATH}"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

SECURE_SSL_REDIRECT = False
SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # X-Frame-Options is set by messenger.headers
    "security.W003",  # the CSRF middleware is there, as messenger.admin's
    "security.W008",  # redirecting to https is the proxy's part: behind it this server hears http alone
]
SECURE_HSTS_SECONDS = 63072000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Logs -------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice(
    "QUARTER_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"), "the least level that is logged"
)
LOGGING = logs.config(LOG_LEVEL, as_json=PRODUCTION, whole_errors=DEBUG and not PRODUCTION)

env.refuse_unknown()
