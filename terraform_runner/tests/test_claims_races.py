"""Several threads with a connection each, let go at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connections

from terraform_runner import claims
from terraform_runner.domain.runs import RunStatus
from terraform_runner.errors import HoldLost, PlanStale, RunCancelled
from terraform_runner.models import Run
from terraform_runner.tests.factories import WORKER, planned, planned_run, queued_run, running_run

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")
AT_ONCE = 5


def at_once(*functions: Callable[[], T]) -> list[T]:
    barrier = threading.Barrier(len(functions))

    def go(function: Callable[[], T]) -> T:
        try:
            barrier.wait()
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(go, functions))


def test_run_delivered_several_times_at_once_is_claimed_once():
    run = queued_run()

    claimed = at_once(*[lambda: claims.claim(run.pk, worker=WORKER)] * AT_ONCE)

    assert sum(item is not None for item in claimed) == 1


def test_several_runs_of_a_workspace_claimed_at_once_are_running_one_at_a_time():
    runs = [queued_run() for _ in range(AT_ONCE)]

    claimed = at_once(*[lambda run=run: claims.claim(run.pk, worker=WORKER) for run in runs])

    assert sum(item is not None for item in claimed) == 1
    assert Run.objects.filter(status=RunStatus.QUEUED).count() == AT_ONCE - 1


def test_plan_used_several_times_at_once_is_used_once():
    run = planned_run()

    def use() -> bool:
        try:
            claims.use_plan(run)
        except PlanStale:
            return False
        return True

    assert sum(at_once(*[use] * AT_ONCE)) == 1


def test_run_that_ends_in_two_ways_at_once_ends_in_one():
    run = running_run()

    def finish(outcome):
        try:
            return claims.finish(run, outcome)
        except HoldLost:
            return None

    ended = at_once(lambda: finish(planned()), lambda: finish(RunCancelled("stop")))

    assert sum(status is not None for status in ended) == 1
    assert Run.objects.get().status in ended


def test_run_claimed_and_cancelled_at_once_is_one_or_the_other():
    run = queued_run()

    claimed, _ = at_once(
        lambda: claims.claim(run.pk, worker=WORKER),
        lambda: claims.request_cancel(workspace="service", reason="no"),
    )

    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    assert run.status == (RunStatus.CANCELLED if claimed is None else RunStatus.RUNNING)
