"""Wakes a worker by a task's name, after the commit. The database stays the truth: the sweeper sends what was lost."""

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

RUNS, URGENT = "runs", "urgent"
# A broker that is slow or frozen is waited for so long, and not at all while it still owes an answer.
PATIENCE_SECONDS = 1.0


def send_run(run_id: UUID, *, urgent: bool = False) -> None:
    """Ask for a queued run to be executed once the current transaction has committed.

    What is urgent has workers of its own, so that it never waits behind others.
    """
    queue = URGENT if urgent else RUNS
    transaction.on_commit(partial(_send, "releases.execute_run", str(run_id), queue))


def _send(task: str, run_id: str, queue: str) -> None:
    send = partial(current_app.send_task, task, args=[run_id], queue=queue, ignore_result=True)
    try:
        _sender.send(send)
    except (OperationalError, TimeoutError) as error:
        logger.warning("the broker took nothing (%s): run %s waits for the sweeper", error, run_id)


class _Sender:
    """One thread that talks to the broker, so that whoever asks need not wait for it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker")
        self._late: Future[object] | None = None

    def send(self, send: Callable[[], object]) -> None:
        """Raises TimeoutError if that takes too long; then it may be sent yet, which does no harm."""
        if self._late is not None and not self._late.done():
            raise TimeoutError("it owes an answer to an earlier message")
        sent = self._thread.submit(send)
        try:
            sent.result(PATIENCE_SECONDS)
        except TimeoutError as error:
            self._late = sent
            raise TimeoutError(f"no answer within {PATIENCE_SECONDS:g} s") from error


_sender = _Sender()


def _begin_anew() -> None:
    """A forked process has its parent's sender, but not its thread."""
    global _sender
    _sender = _Sender()


os.register_at_fork(after_in_child=_begin_anew)
