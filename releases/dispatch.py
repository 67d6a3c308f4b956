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
# A broker that is slow or frozen is waited for so long, and not at all while it still owes an answer. Who presses the
# emergency button wants to know of the users, not of the broker.
PATIENCE_SECONDS = {RUNS: 1.0, URGENT: 0.2}
# A page waits no longer for a look.
LOOK_SECONDS = 15


def send_run(run_id: UUID, *, urgent: bool = False) -> None:
    """Ask for a queued run to be executed once the current transaction has committed.

    What is urgent has workers of its own, so that it never waits behind others.
    """
    queue, otherwise = URGENT if urgent else RUNS, f"run {run_id} waits for the sweeper"
    transaction.on_commit(partial(_send, "releases.execute_run", run_id, queue, otherwise=otherwise))


def send_look(service_id: UUID) -> None:
    """Ask for a look at a service's other side, for a page that is open now."""
    _send(
        "releases.look_at_readiness", service_id, URGENT, otherwise="a page asks again", expires=LOOK_SECONDS
    )


def _send(task: str, what: UUID, queue: str, *, otherwise: str, expires: float | None = None) -> None:
    send = partial(
        current_app.send_task, task, args=[str(what)], queue=queue, expires=expires, ignore_result=True
    )
    try:
        _sender.send(send, seconds=PATIENCE_SECONDS[queue])
    except (OperationalError, TimeoutError) as error:
        logger.warning("the broker took nothing (%s): %s", error, otherwise)


class _Sender:
    """One thread that talks to the broker, so that whoever asks need not wait for it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker")
        self._late: Future[object] | None = None

    def send(self, send: Callable[[], object], *, seconds: float) -> None:
        """Raises TimeoutError if that takes too long; then it may be sent yet, which does no harm."""
        if self._late is not None and not self._late.done():
            raise TimeoutError("it owes an answer to an earlier message")
        sent = self._thread.submit(send)
        try:
            sent.result(seconds)
        except TimeoutError as error:
            self._late = sent
            raise TimeoutError(f"no answer within {seconds:g} s") from error


_sender = _Sender()


def _begin_anew() -> None:
    """A forked process has its parent's sender, but not its thread."""
    global _sender
    _sender = _Sender()


os.register_at_fork(after_in_child=_begin_anew)
