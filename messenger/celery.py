"""The Celery application: one periodic task, no results.

Worker and beat refuse to start on the errors of `messenger.checks`, as the web server does. Celery itself
runs Django's checks and ignores what they say, and it swallows exceptions (but not SystemExit) that signal
handlers raise.
"""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "messenger.settings")

app = Celery("quarter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_bad_settings(**kwargs: Any) -> None:
    """Stop worker or beat where the settings are not fit for production; SystemExit 1."""
    from messenger import checks

    checks.exit_on_errors()


@signals.setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Having a receiver keeps Celery from replacing the logging of `messenger.logs`."""
