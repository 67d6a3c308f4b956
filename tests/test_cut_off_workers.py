"""In the middle of a real apply: the database is away, a worker or its launcher is stopped, a worker is told to end."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest
from celery import current_app
from django.utils import timezone

from infra.local.tests.waiting import is_gone, wait_for
from infra.sandbox.testing import fault, held, seen
from releases.models import Step
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.errors import TerraformKilled
from terraform_runner.models import LogChunk, Run
from tests.crashing import AT_MOST_SECONDS, Scene, rules_watched, shift_scene
from tests.fault_matrix import Target
from tests.machine import GRACE_SECONDS, LEASE_SECONDS, begin_worker
from tests.mortal import forget_connections
from tests.test_crashes import planned_again

pytestmark = [
    pytest.mark.fault,
    pytest.mark.terraform,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]

AWAY_SECONDS = 60
LONG_LEASE_SECONDS = 120


@pytest.fixture
def scene(sandbox, terraform_cli, settings, tmp_path, monkeypatch) -> Iterator[Scene]:
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)
    with shift_scene(tmp_path, sandbox, terraform_cli, settings) as made:
        yield made


@pytest.fixture
def step(scene: Scene) -> Step:
    """The first share, approved."""
    return scene.begin(Operation.APPLY)


@contextmanager
def shifting(scene: Scene) -> Iterator[Run]:
    """A worker's apply that AWS has carried out and does not answer. It is answered at the context's end."""
    with fault(scene.life.sandbox, call="ModifyRule", act="hold", when="after"):
        begin_worker(scene.machine)
        wait_for(lambda: held(scene.life.sandbox) == 1, "the call to be held", seconds=AT_MOST_SECONDS)
        yield Run.objects.get(status=RunStatus.RUNNING)
        assert seen(scene.life.sandbox) == 1


def processes(run: Run) -> tuple[psutil.Process, psutil.Process]:
    """The worker's process that executes the run, and its launcher."""
    _, pid, _ = run.worker.rsplit("/", 2)
    run.refresh_from_db()
    return psutil.Process(int(pid)), psutil.Process(run.process_group or 0)


def status(run: Run) -> str:
    return Run.objects.values_list("status", flat=True).get(pk=run.pk)


def printed(run: Run) -> str:
    chunks = LogChunk.objects.filter(run=run).order_by("first_line").values_list("lines", flat=True)
    return "\n".join(line for lines in chunks for line in lines)


def test_a_database_that_is_away_for_a_minute_ends_the_run_gently_and_it_goes_on(scene: Scene, step: Step):
    with rules_watched(scene) as weights, shifting(scene) as run:
        _, launcher = processes(run)
        scene.around[Target.DATABASE].kill()
        time.sleep(AWAY_SECONDS)
        assert is_gone(launcher.pid)
        scene.around[Target.DATABASE].start()
        forget_connections()
        scene.goes_on(step, Operation.APPLY)
    assert weights == [(0, 100), (4, 96)]
    assert status(run) == RunStatus.LOST
    assert (planned_again(step), step.approvals.count()) == (1, 1)
    wait_for(scene.pages_answer, "the pages")


def test_a_database_that_is_away_for_less_than_half_a_lease_costs_the_run_nothing(scene: Scene, step: Step):
    """Whoever sweeps has another lease, which is over by then: it does not count."""
    scene.machine.environment["BLUEGREEN_LEASE_SECONDS"] = str(LONG_LEASE_SECONDS)
    with shifting(scene) as run:
        scene.around[Target.DATABASE].kill()
        time.sleep(LEASE_SECONDS + GRACE_SECONDS)
        scene.around[Target.DATABASE].start()
        forget_connections()
        back = timezone.now()
        wait_for(lambda: Run.objects.filter(pk=run.pk, heartbeat_at__gt=back).exists(), "a heartbeat")
    scene.goes_on(step, Operation.APPLY)
    assert (status(run), planned_again(step)) == (RunStatus.SUCCEEDED, 0)
    assert "Apply complete!" in printed(run)


@pytest.mark.parametrize("with_launcher", [False, True], ids=["the worker", "the worker and its launcher"])
def test_a_worker_that_was_stopped_beyond_its_lease_finds_that_another_one_has_gone_on(
    scene: Scene, step: Step, with_launcher: bool
):
    with rules_watched(scene) as weights, shifting(scene) as run:
        child, launcher = processes(run)
        below = launcher.children(recursive=True)
        stopped = [child, psutil.Process(child.ppid()), *([launcher] if with_launcher else [])]
        for process in stopped:
            process.suspend()
        begin_worker(scene.machine)
        scene.goes_on(step, Operation.APPLY)
        assert all(is_gone(process.pid) for process in (launcher, *below))
        ended = Run.objects.values("status", "error_code", "error_message", "ended_at").get(pk=run.pk)
        for process in stopped:
            with suppress(psutil.NoSuchProcess):  # the child that goes on takes its launcher's end away
                process.resume()
        wait_for(
            lambda: f"run {run.pk} is not held by this worker any more" in scene.machine.log(),
            "the first worker to notice",
        )
    assert weights == [(0, 100), (4, 96)]
    assert ended == Run.objects.values(*ended).get(pk=run.pk)
    assert (ended["status"], planned_again(step)) == (RunStatus.LOST, 1)
    assert child.children() == []


def test_a_launcher_that_was_stopped_is_ended_with_its_terraform_by_the_worker_which_goes_on(
    scene: Scene, step: Step
):
    with rules_watched(scene) as weights, shifting(scene) as run:
        _, launcher = processes(run)
        below = launcher.children(recursive=True)
        launcher.suspend()
        scene.goes_on(step, Operation.APPLY)
        assert all(is_gone(process.pid) for process in (launcher, *below))
    assert weights == [(0, 100), (4, 96)]
    assert (Run.objects.get(pk=run.pk).error_code, planned_again(step)) == (TerraformKilled.code, 1)


def test_a_worker_that_is_told_to_end_has_its_apply_end_gently_and_hands_it_over(scene: Scene, step: Step):
    with rules_watched(scene) as weights, shifting(scene) as run:
        worker = scene.machine.started[-1]
        os.kill(worker.pid, signal.SIGTERM)
        wait_for(
            lambda: "Interrupt received" in printed(run), "Terraform to be told", seconds=AT_MOST_SECONDS
        )
    assert worker.wait(AT_MOST_SECONDS) == 0
    assert status(run) == RunStatus.CANCELLED
    begin_worker(scene.machine)
    scene.goes_on(step, Operation.APPLY)
    assert weights == [(0, 100), (4, 96)]
    assert (planned_again(step), step.approvals.count()) == (1, 1)
