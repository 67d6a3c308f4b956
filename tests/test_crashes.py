"""The fault matrix with the real Terraform: whoever takes part in a run, or is around it, is killed at its points."""

import shutil
import time
from collections.abc import Iterator

import pytest
from celery import current_app

from audit.models import AuditEvent
from infra.local.tests.waiting import is_gone, wait_for
from releases.models import Step
from terraform_runner.domain.runs import Operation
from terraform_runner.models import Run
from terraform_runner.points import Point
from tests.crashing import Scene, rules_watched, shift_scene
from tests.fault_matrix import AROUND, ROWS, Target

pytestmark = [
    pytest.mark.fault,
    pytest.mark.terraform,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def scene(sandbox, terraform_cli, settings, tmp_path, monkeypatch) -> Iterator[Scene]:
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)  # the scheduler's sweep sends it
    with shift_scene(tmp_path, sandbox, terraform_cli, settings) as made:
        yield made


@pytest.mark.parametrize("target", Target)
def test_whoever_is_killed_and_wherever_the_step_goes_on_by_itself(scene: Scene, target: Target, capsys):
    for point, row in ROWS.items():
        if not row.kills(target) or point is Point.LOST:
            continue
        if point is Point.IN_INIT:
            shutil.rmtree(scene.folder / "data" / "terraform" / "prepared")
        step = scene.begin(row.during)
        steps = {step.candidate_share, scene.life.service.state.candidate_share}
        told = planned_again(step)
        with rules_watched(scene) as weights:
            began = scene.kill(target, point)
            scene.goes_on(step, row.during)
        with capsys.disabled():
            print(f"{target}, {point}: went on after {time.monotonic() - began:.0f} s")  # noqa: T201
        scene.end_workers()
        check(scene, step, point)
        assert planned_again(step) - told in times_planned_again(target, point)
        scene.life.service.refresh_from_db()
        assert set(weights) <= {tuple(sorted((share, 100 - share))) for share in steps}


def times_planned_again(target: Target, point: Point) -> set[int]:
    """How often: for the database it depends on how soon it is back, for the broker on whether Celery outlives it."""
    if point in {Point.BEFORE_CLAIM, Point.RECORDED}:
        return {0}
    if target in AROUND:
        return {0, 1} if target in {Target.DATABASE, Target.BROKER} else {0}
    return {1}


def check(scene: Scene, step: Step, point: Point) -> None:
    """Nothing is lost, nothing is left, and nobody was asked twice."""
    step.refresh_from_db()
    assert step.problem == ""
    assert step.approvals.count() == (1 if ROWS[point].during is Operation.APPLY else 0)
    groups = Run.objects.exclude(process_group=None).values_list("process_group", flat=True)
    assert all(is_gone(group) for group in groups if group)
    wait_for(scene.pages_answer, "the pages")
    assert not list((scene.folder / "data" / "terraform" / "working").iterdir())


def planned_again(step: Step) -> int:
    """How often the trail tells that, with a reason."""
    told = AuditEvent.objects.filter(action="step.planned-again", subject__step=str(step.pk))
    return told.exclude(reason="").count()
