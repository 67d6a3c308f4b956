"""The fault matrix with the real Terraform: real workers, whose processes are killed at every point of a run."""

import shutil
import time
from collections.abc import Iterator

import pytest
from celery import current_app

from audit.models import AuditEvent
from infra.local.tests.waiting import is_gone
from releases.models import Step
from terraform_runner.domain.runs import Operation
from terraform_runner.models import Run
from terraform_runner.points import Point
from tests.crashing import Scene, crash_scene, rules_watched
from tests.fault_matrix import ROWS, Target

pytestmark = [
    pytest.mark.fault,
    pytest.mark.terraform,
    pytest.mark.long,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def scene(sandbox, terraform_cli, settings, tmp_path, valkey_url, monkeypatch) -> Iterator[Scene]:
    """Its rotation is done, and the first share planned."""
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)  # the scheduler's sweep sends it
    with crash_scene(tmp_path, sandbox, terraform_cli, settings, valkey_url) as made:
        made.life.go_on()
        made.life.work()
        made.life.service.refresh_from_db()
        yield made


@pytest.mark.parametrize("target", Target)
def test_whoever_is_killed_and_wherever_the_step_goes_on_by_itself(scene: Scene, target: Target, capsys):
    scene.life.service.refresh_from_db()
    for point, row in ROWS.items():
        if target not in row.targets or point is Point.LOST:
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
        assert planned_again(step) - told == (0 if point in {Point.BEFORE_CLAIM, Point.RECORDED} else 1)
        scene.life.service.refresh_from_db()
        assert set(weights) <= {tuple(sorted((share, 100 - share))) for share in steps}


def check(scene: Scene, step: Step, point: Point) -> None:
    """Nothing is lost, nothing is left, and nobody was asked twice."""
    step.refresh_from_db()
    assert step.problem == ""
    assert step.approvals.count() == (1 if ROWS[point].during is Operation.APPLY else 0)
    groups = Run.objects.exclude(process_group=None).values_list("process_group", flat=True)
    assert all(is_gone(group) for group in groups if group)
    assert not list((scene.folder / "data" / "terraform" / "working").iterdir())


def planned_again(step: Step) -> int:
    """How often the trail tells that, with a reason."""
    told = AuditEvent.objects.filter(action="step.planned-again", subject__step=str(step.pk))
    return told.exclude(reason="").count()
