"""Wiring only: settings, addresses, application, checks, headers. No word of the domain."""

from messenger.celery import app as celery_app

__all__ = ["celery_app"]
