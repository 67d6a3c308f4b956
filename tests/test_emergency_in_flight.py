"""The emergency button while a real ``terraform apply`` of a shift is in flight, and before one that was approved."""

import itertools
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest
from celery import current_app
from django.db import connection, connections, transaction
from kombu.exceptions import OperationalError as BrokerError

from audit.events import Actor
from conftest import TerraformCli
from infra.local.tests.waiting import wait_for
from infra.sandbox.info import SandboxInfo
from infra.sandbox.testing import fault
from infra.sandbox.testing import held as held_calls
from releases import selectors
from releases.domain.traffic import Color, Transition
from releases.models import EmergencyRollback, Step
from releases.services import approvals, emergency, reasons, rollout, runs, setup
from releases.services.lifecycle import locked
from releases.services.safe_traffic import SafeTraffic, is_back
from releases.services.watchman import Watchman
from releases.tests.factories import ReleaseFactory, StepFactory
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from tests.life import Life, new_service, use_sandbox

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]

logger = logging.getLogger(__name__)
TIMES = 3
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def at_the_sandbox(
    sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path, monkeypatch
) -> None:
    """And nobody listens where the broker should be."""

    def gone(*_, **__):
        raise BrokerError("Connection refused")

    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")
    monkeypatch.setattr(current_app, "send_task", gone)


@pytest.fixture
def watchman() -> Iterator[None]:
    """The thread that each web and worker process has."""
    thread = Watchman(worker_name())
    thread.start()
    yield
    thread.stop()


@pytest.fixture
def life(sandbox) -> Life:
    """Set up, with both colours alike; each test has one of its own at the sandbox."""
    number = next(_numbers)
    new = new_service(
        sandbox,
        f"in-flight-{number}",
        priority=28_060 + 2 * number,
        settle_seconds=0,
        bake_seconds=0,
        canary_addresses=["127.0.0.9"],
    )
    made = Life(sandbox, setup.create_service(new, actor=Actor(id="", name="tests", via="command")))
    made.work()
    assert [step.problem for step in Step.objects.all()] == [""]
    made.service.refresh_from_db()
    return made


def approved_shift(life: Life, number: int) -> Run:
    """A release whose first step sends half of the users to green; planned, started, and its apply queued."""
    release = ReleaseFactory.create(
        service=life.service,
        number=number,
        image=life.service.green_image,
        tag="blue",
        requested_by=life.rita,
    )
    StepFactory.create(release=release, transition=Transition.SHIFT.value, candidate_share=50)
    StepFactory.create(release=release, transition=Transition.PROMOTE.value, candidate_share=100, position=1)
    with locked(life.service.pk) as service:
        rollout.advance(service)
    life.work()
    approvals.start(step_id=life.step().pk, user=life.otto)
    return Run.objects.get(operation="apply", status=RunStatus.QUEUED)


def press(life: Life) -> tuple[EmergencyRollback, float]:
    began = time.monotonic()
    pressed = emergency.roll_back(service_id=life.service.pk, user=life.otto)
    return pressed, time.monotonic() - began


def everybody_is_back(life: Life) -> bool:
    return is_back(SafeTraffic.of(life.service, Color.BLUE))


@contextmanager
def applying(run: Run) -> Iterator[None]:
    """A worker that executes this run meanwhile."""

    def work() -> None:
        runs.execute(run.pk, worker=worker_name())
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        worker.join()


@contextmanager
def nothing_holds_anything() -> Iterator[None]:
    yield


@contextmanager
def a_stopped_process_holds_the_service() -> Iterator[None]:
    """Its transaction has locked the row, and it does nothing more."""
    taken, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM releases_service FOR UPDATE")
            taken.set()
            over.wait(60)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait(10)
    try:
        yield
    finally:
        over.set()
        holder.join()


@pytest.mark.parametrize("held", [nothing_holds_anything, a_stopped_process_holds_the_service])
def test_pressed_while_the_apply_is_at_aws_the_users_are_back_within_a_second_and_stay(life, watchman, held):
    """AWS has Terraform's call already and heeds it only after the press: that is one moment of a second."""
    for number in range(1, TIMES + 1):
        run = approved_shift(life, number)
        with applying(run), ExitStack() as at_aws:
            at_aws.enter_context(fault(life.sandbox, call="ModifyRule", act="hold"))
            wait_for(lambda: held_calls(life.sandbox) == 1, "Terraform's call to be held")
            with held():
                pressed, seconds = press(life)
                assert (pressed.problem, seconds < 1) == ("", True)
                assert everybody_is_back(life)
                at_aws.close()
                moved = longest_away(life, seconds=4)
        assert moved < 1
        settle(life)
        assert everybody_is_back(life)
        give_reasons(life)
        logger.info("press %d: back after %.3f s; away again for %.3f s", number, seconds, moved)


def test_a_shift_that_was_planned_and_approved_before_the_press_is_refused_after_it(life, monkeypatch):
    """The worker has claimed the run, and is let go only when the button was pressed: right before its check."""
    run, check, pressed = approved_shift(life, 1), runs._check_before_apply, []

    def press_first(*given):
        pressed.append(press(life))
        check(*given)

    monkeypatch.setattr(runs, "_check_before_apply", press_first)
    runs.execute(run.pk, worker=worker_name())
    run.refresh_from_db()
    assert (run.status, run.error_code, len(pressed)) == (RunStatus.FAILED, "plan:outdated", 1)
    assert selectors.plan_run_of(run).plan_used_at is None
    assert everybody_is_back(life)
    monkeypatch.undo()


def longest_away(life: Life, *, seconds: float) -> float:
    """For how long at a stretch anybody was sent elsewhere within this time."""
    until, since, longest = time.monotonic() + seconds, 0.0, 0.0
    while (moment := time.monotonic()) < until:
        if everybody_is_back(life):
            since = 0.0
        else:
            since = since or moment
            longest = max(longest, moment - since)
        time.sleep(0.02)
    return longest


def settle(life: Life) -> None:
    """Until the press is recorded and Terraform agrees."""
    deadline = time.monotonic() + 120
    while not _agrees(life):
        assert time.monotonic() < deadline
        life.work()
        time.sleep(0.2)


def _agrees(life: Life) -> bool:
    rollback = selectors.last_rollback(life.service)
    return (
        rollback is not None and rollback.converge.status == "done" and rollback.traffic_back_at is not None
    )


def give_reasons(life: Life) -> None:
    give = partial(reasons.give_reason, user=life.otto, reason="an exercise")
    for rollback in EmergencyRollback.objects.filter(reason=""):
        give(rollback.pk)
