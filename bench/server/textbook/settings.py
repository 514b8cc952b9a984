"""Its settings; the environment names the directory of PostgreSQL's socket and Valkey's URL."""

import os

SECRET_KEY = "textbook"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["bench.server.textbook"]
ASGI_APPLICATION = "bench.server.textbook.asgi.application"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["TEXTBOOK_POSTGRES"],
        "NAME": "postgres",
        "USER": "postgres",
        "CONN_MAX_AGE": None,
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [os.environ["TEXTBOOK_REDIS"]], "capacity": 100_000},
    }
}
