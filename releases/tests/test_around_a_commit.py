"""FAULTS W16, B5: a process that ends at any moment around a COMMIT, its message sent or not."""

import os
import random
import signal
import sys
import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from celery import current_app
from django.db import connection, connections, transaction
from django.utils import timezone

from releases import dispatch
from releases.services.execution import recovery
from terraform_runner import claims
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sent(monkeypatch) -> list[UUID]:
    """What this process sends; what a child sends arrives nowhere."""
    ids: list[UUID] = []
    monkeypatch.setattr(dispatch, "PATIENCE_SECONDS", dict.fromkeys(dispatch.PATIENCE_SECONDS, 60.0))
    monkeypatch.setattr(current_app, "send_task", lambda _, args, **__: ids.append(UUID(args[0])))
    return ids


def ask(workspace: str) -> None:
    """What every change that needs a run comes down to."""
    with transaction.atomic():
        run = claims.queue_run(workspace=workspace, operation=Operation.PLAN)
        dispatch.send_run(run.pk)


def begin(workspace: str) -> int:
    """Ask in a process of its own."""
    # With a connection of the pool it would have this process's own, and leave a transaction open in it.
    connections.close_all()
    connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's has one
    child = os.fork()
    if not child:
        try:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())
            connections.close_all()
            ask(workspace)
        finally:
            os._exit(0)
    return child


def whole_seconds() -> float:
    """How long it takes on this machine, now, if nobody ends it."""
    began = time.monotonic()
    os.waitpid(begin("whole"), 0)
    return time.monotonic() - began


def end_at(moment: float, workspace: str, how: signal.Signals) -> None:
    """Ask in a process that ends at this moment: at once (SIGKILL), or by SystemExit as in a cold shutdown."""
    child = begin(workspace)
    time.sleep(moment)
    with suppress(ProcessLookupError):
        os.kill(child, how)
    os.waitpid(child, 0)


def walk(times: int, sent: list[UUID]) -> None:
    """What was committed is sent and taken once, whatever came after it; of what was not, nothing is there."""
    latest = 1.5 * whole_seconds()
    for number in range(times):
        end_at(random.uniform(0, latest), f"w{number}", random.choice([signal.SIGKILL, signal.SIGTERM]))
        # On a machine that gets busy or idle meanwhile the moments stay around the COMMIT.
        latest *= 0.8 if Run.objects.filter(workspace=f"w{number}").exists() else 1.25
    committed = set(Run.objects.values_list("pk", flat=True))
    assert 1 < len(committed) < 1 + times
    assert set(Run.objects.values_list("status", flat=True)) == {RunStatus.QUEUED}
    Run.objects.update(queued_at=timezone.now() - timedelta(seconds=6))
    recovery.resend()
    assert sorted(sent) == sorted(committed)
    recovery.resend()
    assert len(sent) == len(committed)
    for run_id in sent * 2:
        claims.claim(run_id, worker="host/1/1.00")
    assert Run.objects.filter(status=RunStatus.RUNNING).count() == len(committed)


def test_what_was_committed_is_sent_by_the_sweeper_and_taken_once(sent):
    walk(20, sent)


@pytest.mark.long
def test_so_it_is_at_two_hundred_moments(sent):
    walk(200, sent)
