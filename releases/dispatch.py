"""Wakes a worker by a task's name, after the commit. The database stays the truth: the sweeper sends what was lost."""

import logging
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def send_run(run_id: UUID) -> None:
    """Ask for a queued run to be executed once the current transaction has committed."""
    transaction.on_commit(partial(_send, "releases.execute_run", str(run_id)))


def _send(task: str, run_id: str) -> None:
    try:
        current_app.send_task(task, args=[run_id], ignore_result=True)
    except OperationalError as error:
        logger.warning("the broker took nothing (%s): run %s waits for the sweeper", error, run_id)
