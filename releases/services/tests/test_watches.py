"""The watch after a press: who has it, what it does, and when it ends."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from audit.models import AuditEvent
from aws.errors import AwsError
from infra.local.tests.waiting import wait_for
from releases.models import EmergencyRollback, Service, Step, StepRun, Watch
from releases.selectors import rollbacks as rollback_selectors
from releases.services.rollback import rollbacks, watches
from releases.services.rollback.watchman import Watchman
from releases.services.tests.test_stuck_database import held
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.models import Run

AWS_IS_GONE = AwsError("aws:unreachable", "AWS did not answer.")
ELSEWHERE = {"arn:group/blue": 10, "arn:group/green": 90}


@pytest.fixture
def pressed(life):
    """Rolled back from a half; nothing followed yet."""
    life.release = life.request()
    life.go_to(50)
    life.rollback = life.roll_back()
    return life


def watch() -> Watch:
    return Watch.objects.select_related("rollback__service").get()


def earlier_apply(life, status: RunStatus, **columns) -> Run:
    """An apply from before the press."""
    step = Step.objects.filter(epoch=0, service=life.service).latest("created_at")
    plan = step.step_runs.get(run__operation=Operation.PLAN).run
    run = Run.objects.create(
        workspace=str(life.service.pk), operation=Operation.APPLY, plan_run=plan, status=status, **columns
    )
    StepRun.objects.create(step=step, run=run)
    return run


def move(life) -> None:
    life.world.weights["arn:rule/traffic"] = dict(ELSEWHERE)


def is_open() -> bool:
    return Watch.objects.get().ended_at is None


def age(seconds: float) -> None:
    EmergencyRollback.objects.update(pressed_at=timezone.now() - timedelta(seconds=seconds))


def test_who_pressed_has_the_watch(pressed):
    assert watch().watcher == worker_name()
    assert [taken.pk for taken in watches.take(worker_name())] == [pressed.rollback.pk]
    assert watches.take("another/1/1.00") == []


def test_a_watch_whose_process_was_silent_for_three_seconds_is_another_one_s(pressed):
    Watch.objects.update(seen_at=timezone.now() - timedelta(seconds=3.1))
    assert len(watches.take("another/1/1.00")) == 1
    assert watch().watcher == "another/1/1.00"
    assert watches.take(worker_name()) == []


@pytest.mark.django_db(transaction=True)
def test_a_watch_of_one_s_own_goes_on_while_somebody_who_stands_still_has_its_row(pressed):
    with held("SELECT 1 FROM releases_watch FOR UPDATE"):
        assert [one.pk for one in watches.take(worker_name())] == [pressed.rollback.pk]
        assert watches.take("another/1/1.00") == []


@pytest.mark.django_db(transaction=True)
def test_a_watch_that_is_over_and_cannot_be_ended_keeps_nobody_waiting(pressed):
    age(60)
    with held("SELECT 1 FROM releases_watch FOR UPDATE"):
        began = time.monotonic()
        assert watches.look(watch())
        assert time.monotonic() - began < 30  # the row is held for sixty
    assert is_open()
    watches.look(watch())
    assert not is_open()


@pytest.mark.django_db(transaction=True)
def test_a_watchman_forgets_what_is_over(pressed, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    watchman = Watchman(worker_name())
    watchman.start()
    try:
        wait_for(lambda: len(watchman._looking) == 1, "it to watch")
        Watch.objects.update(ended_at=timezone.now())
        wait_for(lambda: not watchman._looking, "it to forget")
    finally:
        watchman.stop()


def test_rules_that_a_run_has_moved_are_set_again_and_that_is_shown(pressed):
    earlier_apply(pressed, RunStatus.RUNNING, worker="x/1/1.0")
    move(pressed)
    assert watches.look(watch())
    assert pressed.world.green_weight() == 0
    assert EmergencyRollback.objects.get().set_again_at is not None
    assert AuditEvent.objects.filter(action="rollback.traffic-set-again").count() == 1
    assert is_open()


def test_rules_that_are_as_they_should_be_are_only_read(pressed, monkeypatch):
    monkeypatch.setattr("aws.load_balancer.set_weights", None)
    assert watches.look(watch())
    assert EmergencyRollback.objects.get().set_again_at is None


def test_it_goes_on_while_an_apply_from_before_goes_on_and_ends_after_it(pressed):
    run = earlier_apply(pressed, RunStatus.RUNNING, worker="x/1/1.0")
    age(60)
    watches.look(watch())
    assert is_open()
    Run.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED, ended_at=timezone.now())
    watches.look(watch())
    assert not is_open()


@pytest.mark.parametrize("how", [RunStatus.LOST, RunStatus.CANCELLED, RunStatus.FAILED])
@pytest.mark.parametrize(("seconds", "watched"), [(20, True), (31, False)])
def test_it_goes_on_for_half_a_minute_after_an_apply_was_cut_short(pressed, seconds, watched, how):
    """AWS may have a call still of a Terraform that was interrupted, or ended with its worker."""
    ended = timezone.now() - timedelta(seconds=seconds)
    earlier_apply(pressed, how, ended_at=ended)
    age(60)
    watches.look(watch())
    assert is_open() == watched


def test_it_goes_on_for_three_seconds_at_least(pressed):
    age(0)
    watches.look(watch())
    assert is_open()
    age(3.1)
    watches.look(watch())
    assert not is_open()


def test_what_a_later_release_does_is_left_alone(pressed):
    """It has begun while an apply from before is still counted among the lost."""
    earlier_apply(pressed, RunStatus.LOST, ended_at=timezone.now())
    pressed.world.work()
    step = Step.objects.create(service=pressed.service, transition="shift", candidate_share=90, epoch=1)
    plan = Run.objects.create(workspace="x", operation=Operation.PLAN, plan_used_at=timezone.now())
    StepRun.objects.create(step=step, run=plan)
    move(pressed)
    assert watches.look(watch())
    assert pressed.world.green_weight() == 90
    assert not is_open()


def test_a_newer_rollback_has_a_watch_of_its_own(pressed):
    Service.objects.update(epoch=2)
    move(pressed)
    watches.look(watch())
    assert pressed.world.green_weight() == 90
    assert not is_open()


def test_terraform_following_does_not_end_it_nor_is_undone_by_it(pressed):
    earlier_apply(pressed, RunStatus.LOST, ended_at=timezone.now())
    pressed.world.work()
    rules = dict(pressed.world.weights)
    assert watches.look(watch())
    assert pressed.world.weights == rules
    assert is_open()


def test_an_aws_that_does_not_answer_is_tried_until_it_does_and_each_try_is_there(life):
    life.request()
    life.go_to(50)
    life.world.aws_fails = AWS_IS_GONE
    life.roll_back()
    age(60)
    assert not watches.look(watch())
    assert is_open()
    life.world.aws_fails = None
    assert watches.look(watch())
    rollback = EmergencyRollback.objects.get()
    assert (rollback.problem, rollback.traffic_back_at is None) == ("", False)
    assert [one.problem for one in rollback.tries.all()] == ["AWS did not answer."] * 2
    assert AuditEvent.objects.filter(action="rollback.failed").count() == 1
    assert life.now().candidate_share == 0


def test_without_the_database_the_rules_are_looked_after_all_the_same(pressed, monkeypatch):
    held = watch()

    def gone(*_, **__):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(EmergencyRollback, "refresh_from_db", gone)
    monkeypatch.setattr(rollbacks, "note_set_again", gone)
    move(pressed)
    assert watches.look(held)
    assert pressed.world.green_weight() == 0


@pytest.mark.django_db(transaction=True)
def test_the_thread_looks_twice_a_second_at_the_most_and_takes_over_by_itself(pressed, monkeypatch):
    """The watch is another process's at first, which says nothing."""
    reads: list[float] = []
    read = pressed.world.read_rules

    def counted(*given):
        reads.append(time.monotonic())
        return read(*given)

    monkeypatch.setattr("aws.load_balancer.read_rules", counted)
    earlier_apply(pressed, RunStatus.RUNNING, worker="x/1/1.0")
    silent_since = time.monotonic()
    Watch.objects.update(watcher="stopped/1/1.0", seen_at=timezone.now())
    move(pressed)
    thread = Watchman("here/2/1.0")
    thread.start()
    try:
        wait_for(lambda: not pressed.world.green_weight(), "the users to be brought back")
        assert time.monotonic() - silent_since >= 3
        del reads[:]
        began = time.monotonic()
        wait_for(lambda: len(reads) > 3, "the rules to be read again and again")
        assert len(reads) <= 2 + 2 * (time.monotonic() - began)
        move(pressed)
        wait_for(lambda: not pressed.world.green_weight(), "them to be brought back once more")
    finally:
        thread.stop()
    assert not rollback_selectors.release_begun_since(EmergencyRollback.objects.get())
