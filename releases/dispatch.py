"""Wakes a worker by a task's name, after the commit. The database stays the truth: the sweeper sends what was lost."""

import logging
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

RUNS, URGENT = "runs", "urgent"


def send_run(run_id: UUID, *, urgent: bool = False) -> None:
    """Ask for a queued run to be executed once the current transaction has committed.

    What is urgent has workers of its own, so that it never waits behind others.
    """
    queue = URGENT if urgent else RUNS
    transaction.on_commit(partial(_send, "releases.execute_run", str(run_id), queue))


def _send(task: str, run_id: str, queue: str) -> None:
    try:
        current_app.send_task(task, args=[run_id], queue=queue, ignore_result=True)
    except OperationalError as error:
        logger.warning("the broker took nothing (%s): run %s waits for the sweeper", error, run_id)
