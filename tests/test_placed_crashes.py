"""Crashes in the middle of a real apply, placed at an AWS call: between changes, after the last, around the state."""

import time
from collections.abc import Iterator

import psutil
import pytest
from celery import Celery, current_app

from audit.models import AuditEvent
from infra.local.tests.waiting import wait_for
from infra.sandbox.testing import fault, held, seen
from infra.sandbox.tests.service import client
from releases import selectors
from releases.domain.lifecycle import StepStatus
from releases.models import Step
from releases.services.execution import unsaved_states
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run
from tests.crashing import Scene, crash_scene, rules_watched
from tests.hasty_worker import VISIBILITY_SECONDS
from tests.machine import begin_worker

pytestmark = [
    pytest.mark.fault,
    pytest.mark.terraform,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]

UPDATE_CODE = r"PUT /2015-03-31/functions/[^/]+/code"
WRITE_STATE = r"PUT /.*/terraform\.tfstate"
MESSAGES = 10


@pytest.fixture
def scene(sandbox, terraform_cli, settings, tmp_path, valkey_url, monkeypatch) -> Iterator[Scene]:
    """The first rotation is planned."""
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)
    with crash_scene(tmp_path, sandbox, terraform_cli, settings, valkey_url) as made:
        yield made


@pytest.fixture
def at_shift(scene: Scene) -> Scene:
    """The rotation is done, and the first share planned."""
    scene.life.go_on()
    scene.life.work()
    return scene


def power_failure(scene: Scene, call: str, step: Step) -> None:
    """Worker, launcher, Terraform and provider are gone at once, when AWS has carried out the call."""
    with fault(scene.life.sandbox, call=call, act="hold", when="after"):
        worker = begin_worker(scene.machine)
        wait_for(lambda: held(scene.life.sandbox) == 1, "the call to be held")
        victims = [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]
        for victim in victims:
            victim.suspend()
        for victim in victims:
            victim.kill()
        worker.wait()
    begin_worker(scene.machine)
    scene.goes_on(step, Operation.APPLY)


def actions(step: Step) -> set[str]:
    return set(AuditEvent.objects.filter(service_id=str(step.service_id)).values_list("action", flat=True))


def test_a_shift_that_aws_has_made_and_the_state_does_not_know_is_verified_and_not_made_again(
    at_shift: Scene,
):
    step = at_shift.begin(Operation.APPLY)

    with rules_watched(at_shift) as weights:
        power_failure(at_shift, "ModifyRule", step)

    assert weights == [(0, 100), (4, 96)]
    assert step.approvals.count() == 1
    assert "service.lock-removed" in actions(step)


def test_a_function_that_was_updated_and_not_published_is_published_and_its_alias_follows(scene: Scene):
    step = scene.begin(Operation.APPLY)

    power_failure(scene, UPDATE_CODE, step)

    assert {"step.publishing", "service.lock-removed"} <= actions(step)
    scene.life.service.refresh_from_db()
    name, functions = scene.life.service.green_function_name, client(scene.life.sandbox, "lambda")
    versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert [one["Version"] for one in versions] == ["$LATEST", "1", "2"]
    alias = functions.get_alias(FunctionName=name, Name="live")
    assert alias["FunctionVersion"] == "2" == scene.life.service.green_function_version


def test_a_state_that_could_not_be_written_is_pushed_by_the_next_run(at_shift: Scene):
    step = at_shift.begin(Operation.APPLY)

    with fault(at_shift.life.sandbox, call=WRITE_STATE, act="fail", times=1_000):
        at_shift.life.work_only_applies()

    assert unsaved_states.find(at_shift.life.service) is not None
    at_shift.life.work()
    step.refresh_from_db()
    assert (step.status, step.problem) == (StepStatus.DONE, "")
    assert "service.state-pushed" in actions(step)
    assert unsaved_states.find(at_shift.life.service) is None


def test_one_apply_and_no_more_however_often_two_workers_are_told(at_shift: Scene, valkey_url):
    step = at_shift.begin(Operation.APPLY)
    run = selectors.get_step(step.pk).apply_run
    assert run is not None
    told = Celery("tests", broker=valkey_url, set_as_current=False)
    with fault(at_shift.life.sandbox, call="ModifyRule", act="delay", seconds=60):
        for _ in range(2):
            at_shift.machine.start("-m", "tests.hasty_worker")
        for _ in range(MESSAGES):
            told.send_task("releases.execute_run", args=[str(run.pk)], queue="runs")
            time.sleep(VISIBILITY_SECONDS / 2)
        at_shift.goes_on(step, Operation.APPLY)
        assert seen(at_shift.life.sandbox) == 1

    applies = Run.objects.filter(workspace=run.workspace, plan_run=run.plan_run)
    assert [apply.status for apply in applies] == [RunStatus.SUCCEEDED]
    assert at_shift.machine.log().count(f"run {run.pk} begins") == 1
    assert at_shift.machine.log().count(f"run {run.pk} is not to be taken now") >= MESSAGES - 1
