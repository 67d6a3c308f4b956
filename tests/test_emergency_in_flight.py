"""The emergency button while a real ``terraform apply`` of a shift is in flight, and before one that was approved."""

import statistics
from collections.abc import Iterator

import pytest

from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from releases import selectors
from releases.domain.lifecycle import StepStatus
from releases.models import EmergencyRollback, Step
from releases.services.execution import runs
from releases.services.provisioning import setup
from releases.services.rollback import rehearsals
from releases.services.tests.conftest import TESTS
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import RunStatus
from terraform_runner.state import LOCK_OBJECT
from tests.broker import talking_to
from tests.crashing import use_bucket
from tests.in_flight import Scene, in_words
from tests.life import Life, new_service, use_sandbox
from tests.machine import GRACE_SECONDS, LEASE_SECONDS
from tests.troubles import (
    FrozenBroker,
    HeldRun,
    HeldService,
    HeldTrail,
    HeldWatch,
    KilledWorker,
    LockedState,
    Nothing,
    StoppedRecorder,
    StoppedWatcher,
    StoppedWorker,
    UnreachableState,
)

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]

TIMES = 10
# The half of the presses is held to the second that is promised, and each to what a busy machine leaves of it.
PROMISED_SECONDS, BUSY_SECONDS = 1, 3
# What Terraform's following costs, where it may be another one than after any other press.
FOLLOWED = {Nothing, KilledWorker, LockedState, UnreachableState}


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """The one of all these tests, once it is made."""
    return []


@pytest.fixture
def scene(
    sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path_factory, scenes
) -> Iterator[Scene]:
    """Everything is in a bucket, and nobody listens where the broker should be."""
    data = scenes[0].data if scenes else tmp_path_factory.mktemp("data")
    use_sandbox(sandbox, terraform_cli, settings, data)
    settings.LEASE_SECONDS, settings.TERRAFORM_GRACE_SECONDS = LEASE_SECONDS, GRACE_SECONDS
    settings.TERRAFORM_LOCK_TIMEOUT_SECONDS = 1
    use_bucket(sandbox, settings)
    if scenes:
        settings.STORAGE_BUCKET = scenes[0].bucket
    with talking_to("redis+socket:///nobody/listens/here"):
        if not scenes:
            scenes.append(made(sandbox, settings))
        yield scenes[0]


def made(sandbox: SandboxInfo, settings) -> Scene:
    new = new_service(
        sandbox,
        "in-flight",
        priority=28_060,
        settle_seconds=0,
        bake_seconds=0,
        canary_addresses=["127.0.0.9/32"],
    )
    life = Life(sandbox, setup.create_service(new, actor=TESTS))
    life.work()
    assert [step.problem for step in Step.objects.all()] == [""]
    life.service.refresh_from_db()
    scene = Scene(life, data=settings.DATA_DIR, bucket=settings.STORAGE_BUCKET)
    scene.get_there()
    return scene


@pytest.mark.parametrize(
    "trouble",
    [
        Nothing,
        FrozenBroker,
        KilledWorker,
        StoppedWorker,
        LockedState,
        UnreachableState,
        HeldService,
        HeldTrail,
        HeldRun,
        HeldWatch,
        StoppedRecorder,
        StoppedWatcher,
    ],
)
def test_pressed_while_an_apply_is_in_flight_the_users_are_back_within_a_second_and_stay(
    scene, capsys, trouble: type[Nothing]
):
    """But for one moment of a second, where AWS had Terraform's call already and heeds it after the press."""
    presses = [trouble(scene).play() for _ in range(TIMES)]
    with capsys.disabled():
        print(f"\n{trouble.__name__}: {in_words(presses)}")  # noqa: T201 - the figures are what it is for
    for figure in ("back", "answered", "moved"):
        seconds = [getattr(one, figure) for one in presses]
        assert statistics.median(seconds) < PROMISED_SECONDS
        assert max(seconds) < BUSY_SECONDS
    if trouble in FOLLOWED:
        follow(scene)
    assert scene.longest_away(seconds=0.5) == 0


def follow(scene: Scene) -> None:
    """Terraform agrees; where it could not it has said why, and when the state is there again another press lets it."""
    scene.settle()
    rollback = selectors.last_rollback(scene.life.service)
    if rollback and "jane@laptop" in rollback.converge.problem:
        scene.kept_state.remove(LOCK_OBJECT)
        scene.press()
        scene.settle()
        rollback = selectors.last_rollback(scene.life.service)
    assert rollback is not None
    assert (rollback.converge.status, rollback.converge.problem) == (StepStatus.DONE, "")


def test_a_shift_that_was_planned_and_approved_before_the_press_is_refused_after_it(scene, monkeypatch):
    """The worker has claimed the run, and is let go only when the button was pressed: right before its check."""
    scene.rewind()
    run, check, pressed = scene.begin(), runs._check_before_apply, []

    def press_first(*given):
        pressed.append(scene.press())
        check(*given)

    monkeypatch.setattr(runs, "_check_before_apply", press_first)
    runs.execute(run.pk, worker=worker_name())
    run.refresh_from_db()
    assert (run.status, run.error_code, len(pressed)) == (RunStatus.FAILED, "plan:outdated", 1)
    assert selectors.plan_run_of(run).plan_used_at is None
    assert EmergencyRollback.objects.get().traffic_back_at is not None
    assert scene.longest_away(seconds=0.5) == 0


def test_a_rehearsal_has_terraform_plan_what_would_follow_and_moves_nobody(scene):
    scene.rewind()
    rehearsal = rehearsals.rehearse(service_id=scene.life.service.pk, user=scene.life.otto)
    scene.life.work()
    rehearsal.refresh_from_db()
    assert rehearsal.plan_run is not None
    assert (rehearsal.plan_problem, rehearsal.plan_run.status) == ("", RunStatus.SUCCEEDED)
    addresses = {change["address"].rpartition(".")[2] for change in rehearsal.plan_run.changes}
    assert "traffic" in addresses
    assert scene.is_where_it_was()
    assert scene.life.step().status == StepStatus.WAITING
