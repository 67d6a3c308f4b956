"""What a Celery worker does at its start and its end: it shows that it is there, and hands over what it runs."""

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from celery import current_app
from celery.platforms import EX_FAILURE
from celery.signals import (
    task_received,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer
from django.conf import settings

from releases.echo import Echo
from releases.services.rollback.watchman import Watchman
from terraform_runner import cli, handing_over
from terraform_runner.claims import worker_name
from terraform_runner.errors import RunnerError
from terraform_runner.pulse import Pulse

logger = logging.getLogger(__name__)

# A worker ends with this code when it wants to be started again (EX_TEMPFAIL of sysexits).
START_AGAIN = 75
# Beyond the grace times of its runs, before a worker that does not even end is ended.
REST_SECONDS = 10

_started: list[Pulse | Watchman] = []
_echoes: list[Echo] = []


@worker_process_init.connect
def begin(**_: Any) -> None:
    """In each process of the pool: say that it is there, and watch after presses of the emergency button."""
    give_up_connection_pool(settings.DATABASES["default"])
    queues = sorted(current_app.amqp.queues.consume_from)
    pulse = Pulse(worker_name(), queues=queues, problem=problem_of_terraform())
    for part in (pulse, Watchman(worker_name())):
        part.start()
        _started.append(part)


def problem_of_terraform() -> str:
    """Why this machine cannot run Terraform, with what to do; empty if it can."""
    try:
        cli.find_terraform(settings.TERRAFORM_BIN)
    except RunnerError as error:
        logger.error("this worker will run nothing: %s", error)
        return error.message
    return ""


def give_up_connection_pool(database: dict[str, Any]) -> None:
    """Celery closes a process's pool after each task, though other threads use it just then: have none.

    A task and its heartbeat need one connection each.
    """
    database["OPTIONS"].pop("pool", None)


@worker_process_shutdown.connect
def end(**_: Any) -> None:
    """In each process of the pool: say that it is gone."""
    while _started:
        _started.pop().stop()


@worker_ready.connect
def listen(sender: Consumer, **_: Any) -> None:
    """In the main process, connected for the first time: notice from now on if it hears its queue no more."""
    (queue,) = current_app.amqp.queues.consume_from
    echo = Echo(queue, is_free=lambda: _is_free(sender), when_deaf=start_again)
    echo.start()
    _echoes.append(echo)


@task_received.connect
def hear(**_: Any) -> None:
    """In the main process: a message has arrived."""
    for echo in _echoes:
        echo.heard()


def start_again() -> None:
    """End as when told to stop, with a code that says so; a worker that does not even do that is ended."""
    logger.error("this worker hears nothing of its queue any more: it ends, to be started again")
    hand_over_later()
    state.should_stop = START_AGAIN  # type: ignore[assignment]  # its stubs know only what it begins with
    seconds = settings.WORKER_GRACE_SECONDS + settings.TERRAFORM_GRACE_SECONDS + REST_SECONDS
    _later(seconds, lambda: os._exit(START_AGAIN))


@worker_shutting_down.connect
def hand_over_later(**_: Any) -> None:
    """In the main process, told to stop: what still runs after a while goes on elsewhere."""
    for echo in _echoes:
        echo.stop()
    _later(settings.WORKER_GRACE_SECONDS, handing_over.ask)


@worker_shutdown.connect
def ask_for_another(sender: WorkController, **_: Any) -> None:
    """In the main process, at its end: one that failed is started again, since a message that is none is enough."""
    if sender.exitcode == EX_FAILURE:
        sender.exitcode = START_AGAIN


def _is_free(consumer: Consumer) -> bool:
    at_once: int = consumer.initial_prefetch_count  # type: ignore[attr-defined]  # not in its stubs
    return len(state.reserved_requests) < at_once


def _later(seconds: float, act: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
