"""What Celery runs."""

from celery import shared_task

from chat import expiry


@shared_task(ignore_result=True)
def sweep() -> None:
    """Delete what is over. Beat asks for it every QUARTER_SWEEP_SECONDS."""
    expiry.sweep()
