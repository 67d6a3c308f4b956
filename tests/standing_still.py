"""A process of Bluegreen that stands still: ``python -m tests.standing_still ACT SERVICE_ID [ID]``.

It gets ready, says so, waits for a line, takes what its act names, and is stopped by a signal in the middle of it. One
that works for a run is stopped only by whoever started it, or where it records what came of the run.
"""

import os
import signal
import sys
from collections.abc import Callable
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - models can be imported only now
from django.db import connection, transaction  # noqa: E402

from audit import events  # noqa: E402
from releases.models import Watch  # noqa: E402
from releases.services.execution import runs  # noqa: E402
from releases.services.lifecycle import SYSTEM, locked  # noqa: E402
from releases.services.rollback import emergency  # noqa: E402
from releases.services.rollback.watchman import Watchman  # noqa: E402
from terraform_runner import points  # noqa: E402
from terraform_runner.claims import worker_name  # noqa: E402
from terraform_runner.models import Run  # noqa: E402
from terraform_runner.points import Point  # noqa: E402


def stand_still() -> None:
    """Say that it is so far, and do nothing more until this process is told to go on."""
    sys.stdout.write("standing still\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGSTOP)


def hold_service(service_id: str) -> None:
    """In a transaction that has the service's row."""
    with locked(UUID(service_id)):
        stand_still()


def hold_trail(service_id: str) -> None:
    """In a transaction that has put an event into the trail and its chain, whose lock a COMMIT takes last."""
    with transaction.atomic(), connection.cursor() as cursor:
        events.record(actor=SYSTEM, action="rollback.rehearsed", service_id=service_id)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        stand_still()


def hold_watch(service_id: str) -> None:
    """In a transaction that has the row of the watch."""
    with transaction.atomic():
        Watch.objects.select_for_update(of=("self",)).get(rollback__service=UUID(service_id), ended_at=None)
        stand_still()


def hold_run(service_id: str) -> None:
    """In a transaction that has the row of the run that goes on, as a heartbeat has."""
    with transaction.atomic():
        Run.objects.select_for_update().get(workspace=service_id, status="running")
        stand_still()


def press(service_id: str, user_id: str) -> None:
    """As a web process that has answered a press, and watches the rules."""
    emergency.roll_back(service_id=UUID(service_id), user=User.objects.get(pk=user_id))
    Watchman(worker_name()).start()
    stand_still()


def work(_: str, run_id: str) -> None:
    """As a worker that executes a run."""
    runs.execute(UUID(run_id), worker=worker_name())


def record(_: str, run_id: str) -> None:
    """As a worker that is stopped in the middle of the transaction in which it records what came of its run."""
    points.listen(lambda point: stand_still() if point is Point.BEFORE_COMMIT else None)
    runs.execute(UUID(run_id), worker=worker_name())


ACTS: dict[str, Callable[..., None]] = {
    "hold-service": hold_service,
    "hold-trail": hold_trail,
    "hold-watch": hold_watch,
    "hold-run": hold_run,
    "press": press,
    "work": work,
    "record": record,
}

if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    ACTS[sys.argv[1]](*sys.argv[2:])
