"""The fault matrix with real processes, but a program in Terraform's place: every point is met once.

The worker's child is a fork of the test, so what stands in for AWS and Terraform is there too.
"""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from typing import cast
from uuid import UUID

import psutil
import pytest
from celery import current_app
from django.db import connection, connections

from audit.models import AuditEvent
from aws import images, listeners, load_balancer
from infra.local.paths import ROOT
from infra.local.tests.waiting import is_gone
from releases import selectors
from releases.domain.lifecycle import StepStatus
from releases.domain.plans import guard
from releases.models import Step
from releases.services import requests
from releases.services.approval import approvals
from releases.services.execution import recovery, runs, storage, waking
from releases.services.execution.workspaces import runner_settings
from releases.services.requests import ReleaseRequest
from releases.services.tests.conftest import CREDENTIALS, Life, image
from releases.services.tests.file_world import FileWorld
from releases.services.tests.world import ARNS
from terraform_runner import points
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run
from terraform_runner.points import Point
from tests.fault_matrix import ROWS, Target

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

AT_MOST_SECONDS = 180
WAITING, DONE = StepStatus.WAITING, StepStatus.DONE
ON_THE_WAY = [point for point in Point if point is not Point.LOST]
BELOW_THE_WORKER = [Target.LAUNCHER, Target.TERRAFORM]


@pytest.fixture
def world(monkeypatch, tmp_path, settings) -> FileWorld:
    """In the place of the one without processes."""
    made = FileWorld(tmp_path / "world", ARNS)
    settings.TERRAFORM_BIN, settings.TERRAFORM_MIRROR = made.program, None
    settings.DATA_DIR = tmp_path / "data"
    # The lease stays as long as it is: nobody here waits for its end, and a busy machine beats late.
    settings.TERRAFORM_GRACE_SECONDS = 2
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)
    monkeypatch.setattr(runs, "credentials_for_run", lambda *_: CREDENTIALS)
    monkeypatch.setattr(runs, "read_reality", made.read_reality)
    monkeypatch.setattr(waking, "read_reality", made.read_reality)
    monkeypatch.setattr(runs, "differences_from_plan", lambda *_: ())
    monkeypatch.setattr(guard, "check_plan", lambda *_: ())
    monkeypatch.setattr(load_balancer, "read_rules", made.read_rules)
    monkeypatch.setattr(load_balancer, "set_weights", made.set_weights)
    monkeypatch.setattr(images, "resolve_image", image)
    monkeypatch.setattr(listeners, "is_internet_facing", lambda *_: True)
    return made


def in_child(act: Callable[[], object], listener: Callable[[Point], None]) -> int:
    """Do something in a process of its own, whose points are listened to; gives how that ended, as waitpid does."""
    connections.close_all()
    connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's has one
    pid = os.fork()
    if pid == 0:
        try:
            points.listen(listener)
            act()
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]


def execute(run_id: UUID, listener: Callable[[Point], None]) -> int:
    return in_child(lambda: runs.execute(run_id, worker=worker_name()), listener)


def dying_at(wanted: Point) -> Callable[[Point], None]:
    """Kills the process that reaches the point."""
    return lambda point: os.kill(os.getpid(), signal.SIGKILL) if point is wanted else None


def killing(target: Target, wanted: Point, world: FileWorld) -> Callable[[Point], None]:
    """Kills the launcher that works for the process at the point, or what runs under it, which goes on until then."""
    held = world.held / wanted.removeprefix("in-")
    held.touch()

    def kill(point: Point) -> None:
        if point is wanted:
            (launcher,) = psutil.Process().children()
            victim = launcher if target is Target.LAUNCHER else launcher.children()[0]
            victim.kill()
            held.unlink()

    return kill


@pytest.fixture
def begun(life, world) -> Callable[[Operation], Run]:
    """Gives a run that nobody has taken yet: a rotation's plan, or the apply of a canary that was approved."""

    def begin(during: Operation) -> Run:
        if during is Operation.PLAN:
            wanted = ReleaseRequest(tag="v2", weights=[10])
            requests.request_release(service_id=life.service.pk, user=life.requester, wanted=wanted)
            shutil.rmtree(runner_settings().data_root / "prepared")  # so that `init` is run
        else:
            life.request()
            life.go_on()
            life.start()
            approvals.approve(**life.shown(), user=life.manager)
        return Run.objects.get(status=RunStatus.QUEUED)

    return begin


def goes_on_by_itself(life: Life, run: Run) -> Step:
    """What the processes of this machine do once they run again; gives the run's step as it is then."""
    began = time.monotonic()
    step = selectors.step_of_run(run)
    while True:
        recovery.sweep()
        life.world.work()
        step.refresh_from_db()
        if step.status not in {StepStatus.PLANNING, StepStatus.APPLYING}:
            return step
        assert time.monotonic() - began < AT_MOST_SECONDS


def check(life: Life, world: FileWorld, step: Step, during: Operation) -> None:
    """What has to be true at the end, whoever was killed."""
    assert (step.status, step.problem) == (WAITING if during is Operation.PLAN else DONE, "")
    groups = Run.objects.exclude(process_group=None).values_list("process_group", flat=True)
    assert all(is_gone(group) for group in groups if group)
    assert not list((runner_settings().data_root / "working").iterdir())
    plan = cast(Run, step.plan_run)
    assert storage.plan_store().read_json(plan.document_sha256)
    if during is Operation.APPLY:
        assert world.changes("activate_canary") == [False, True]  # the set-up, and once since
        assert world.changes("canary_source_ips") == [[], ["203.0.113.7/32"]]
        assert step.approvals.count() == 1
        assert life.now().activate_canary


@pytest.mark.parametrize("point", ON_THE_WAY)
def test_a_worker_that_is_killed_at_a_point_leaves_a_step_that_goes_on_by_itself(begun, life, world, point):
    during = ROWS[point].during
    run = begun(during)

    status = execute(run.pk, dying_at(point))

    assert os.WTERMSIG(status) == signal.SIGKILL
    check(life, world, goes_on_by_itself(life, run), during)
    told = AuditEvent.objects.filter(action="step.planned-again", subject__step=str(step_id(run)))
    assert told.count() == (0 if point in {Point.BEFORE_CLAIM, Point.RECORDED} else 1)


@pytest.mark.parametrize("point", [Point.IN_INIT, Point.IN_PLAN, Point.IN_APPLY])
@pytest.mark.parametrize("target", BELOW_THE_WORKER)
def test_what_a_worker_has_started_may_be_killed_too(begun, life, world, point, target):
    during = ROWS[point].during
    run = begun(during)

    status = execute(run.pk, killing(target, point, world))

    assert status == 0
    run.refresh_from_db()
    assert run.error_code == "terraform:killed"
    check(life, world, goes_on_by_itself(life, run), during)


def test_a_sweep_that_is_killed_leaves_its_work_to_the_next_one(begun, life, world):
    run = begun(Operation.PLAN)
    execute(run.pk, dying_at(Point.AFTER_CLAIM))

    status = in_child(recovery.sweep, dying_at(Point.LOST))

    assert os.WTERMSIG(status) == signal.SIGKILL
    run.refresh_from_db()
    assert run.status == RunStatus.LOST
    check(life, world, goes_on_by_itself(life, run), Operation.PLAN)


def test_every_point_is_reached_in_the_code_and_has_a_row_in_the_matrix():
    code = "\n".join(
        path.read_text()
        for part in ("releases", "terraform_runner")
        for path in (ROOT / part).rglob("*.py")
        if "tests" not in path.parts and path.name != "points.py"
    )
    assert set(re.findall(r"\bPoint\.([A-Z_]+)", code)) == {point.name for point in Point}
    assert ROWS.keys() == set(Point)
    assert {*ON_THE_WAY, Point.LOST} == set(Point)


def step_id(run: Run) -> UUID:
    return selectors.step_of_run(run).pk
