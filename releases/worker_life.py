"""What a Celery worker does at its start and its end: it shows that it is there, and hands over what it runs."""

import threading
from typing import Any

from celery import current_app
from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down
from django.conf import settings

from terraform_runner import handing_over
from terraform_runner.claims import worker_name
from terraform_runner.pulse import Pulse

_pulses: list[Pulse] = []


@worker_process_init.connect
def begin(**_: Any) -> None:
    """In each process of the pool: say that it is there."""
    give_up_connection_pool(settings.DATABASES["default"])
    pulse = Pulse(worker_name(), queues=sorted(current_app.amqp.queues.consume_from))
    pulse.start()
    _pulses.append(pulse)


def give_up_connection_pool(database: dict[str, Any]) -> None:
    """Celery closes a process's pool after each task, though other threads use it just then: have none.

    A task and its heartbeat need one connection each.
    """
    database["OPTIONS"].pop("pool", None)


@worker_process_shutdown.connect
def end(**_: Any) -> None:
    """In each process of the pool: say that it is gone."""
    while _pulses:
        _pulses.pop().stop()


@worker_shutting_down.connect
def hand_over_later(**_: Any) -> None:
    """In the main process, told to stop: what still runs after a while goes on elsewhere."""
    timer = threading.Timer(settings.WORKER_GRACE_SECONDS, handing_over.ask)
    timer.daemon = True
    timer.start()
