"""Logging: codes and counts, never contents.

What our own code logs are words chosen by us: `logger.info("swept", sessions=3)`. What libraries log is cut
down to the text that stands in their source (no arguments: these hold paths, addresses, bodies), and an
exception to its type and places (no message: a database puts the offending values into it).
"""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

#: These have levels of their own that are lower.
TALKATIVE = ("daphne", "twisted", "django", "celery", "kombu", "uvicorn", "asyncio", "httptools")


def config(level: str, as_json: bool, whole_errors: bool) -> dict[str, Any]:
    """Django's LOGGING: all to standard error, one line each.

    `whole_errors` shows exceptions with their messages and source: for debugging, on one's own machine.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if whole_errors else bare_traceback,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [drop_arguments, *shared],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        "keep_exc_info": False,
        "use_get_message": False,
        "pass_foreign_args": True,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"bare": formatter},
        "filters": {"blame": {"()": Blame}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "bare", "filters": ["blame"]}},
        # Libraries say the least that is of use, whatever the level of our own.
        "root": {"handlers": ["stderr"], "level": "ERROR" if level == "ERROR" else "WARNING"},
        "loggers": {
            **{name: {"level": "WARNING"} for name in TALKATIVE},
            "quarter": {"level": level},
            "django.server": {"handlers": [], "propagate": False},
            "daphne.access": {"propagate": False},
        },
    }


class Blame(logging.Filter):
    """A request that was refused is its sender's fault: a warning without a traceback.

    Django logs it as an error of ours: a foreign Host, a form that can't be parsed.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        is_refusal = 400 <= getattr(record, "status_code", 0) < 500
        if is_refusal or record.name.startswith("django.security."):
            record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
        return True


def drop_arguments(logger: logging.Logger, method: str, event: EventDict) -> EventDict:
    """A library's record: its logger's name and the text as written in its source, arguments left out."""
    record: logging.LogRecord = event["_record"]
    return {
        "event": " ".join(str(record.msg).split()) if event["positional_args"] else "(text left out)",
        "logger": record.name,
        "line": f"{record.module}:{record.lineno}",
        **({"status": record.status_code} if hasattr(record, "status_code") else {}),
        "_record": record,
        "_from_structlog": False,
        **({"exc_info": record.exc_info} if record.exc_info else {}),
    }


def bare_traceback(logger: Any, method: str, event: EventDict) -> EventDict:
    """Turn `exc_info` into the exception's type and the places it came through, without its message."""
    info = event.pop("exc_info", None)
    error = _error_of(info)
    if error is not None:
        event["error"] = type(error).__qualname__
        event["at"] = _places(error.__traceback__)
    return event


def _error_of(info: Any) -> BaseException | None:
    if info is True:
        return sys.exc_info()[1]
    if isinstance(info, tuple):
        info = info[1]
    return info if isinstance(info, BaseException) else None


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(trace)[-8:]]
