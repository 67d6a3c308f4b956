import os
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.models import AuditEvent
from releases import dispatch
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Color
from releases.models import Step, StepRun
from releases.services import rollout
from releases.services.execution import outcomes, recovery, runs, storage
from releases.services.execution.workspaces import runner_settings
from releases.services.lifecycle import locked
from releases.services.requests import ReleaseRequest, request_release
from releases.services.rollback import emergency
from releases.services.tests.world import reference
from terraform_runner import claims, clocks, executor, handing_over, working_dir
from terraform_runner.domain.runs import RunStatus
from terraform_runner.errors import HoldLost, RunCancelled
from terraform_runner.models import Run

DEAD_WORKER = f"{claims.worker_host()}/{os.getpid()}/1.00"


@pytest.fixture
def sent(monkeypatch):
    """The ids of the runs that workers were told about."""
    told: list[UUID] = []
    monkeypatch.setattr(dispatch, "send_run", lambda run_id, **_: told.append(run_id))
    return told


def queued_request(life):
    wanted = ReleaseRequest(tag="v2", weights=[50])
    return request_release(service_id=life.service.pk, user=life.requester, wanted=wanted)


def test_a_plan_whose_worker_died_is_planned_again(life):
    queued_request(life)
    lost = life.step().plan_run
    claims.claim(lost.pk, worker=DEAD_WORKER)
    assert [run.pk for run in recovery.end_lost_runs()] == [lost.pk]
    step = life.step()
    assert (step.status, step.plan_run == lost) == (StepStatus.PLANNING, False)
    life.world.work()
    assert life.step().status == StepStatus.WAITING


def test_an_apply_whose_worker_died_is_planned_again_and_goes_on_as_it_was_started(life):
    life.request()
    step = life.step()
    Step.objects.filter(pk=step.pk).update(started_at=timezone.now(), started_by=life.operator)
    with locked(life.service.pk) as service:
        rollout.advance(service)
    lost = life.step().apply_run
    claims.claim(lost.pk, worker=DEAD_WORKER)
    recovery.end_lost_runs()
    lost.refresh_from_db()
    assert lost.status == RunStatus.LOST
    assert life.step().status == StepStatus.PLANNING
    life.world.work()
    assert Step.objects.get(pk=step.pk).status == StepStatus.DONE


def test_a_lost_run_of_a_step_that_was_rolled_back_changes_nothing(life):
    queued_request(life)
    lost = life.step().plan_run
    claims.claim(lost.pk, worker=DEAD_WORKER)
    life.roll_back()
    recovery.end_lost_runs()
    life.world.work()
    assert Step.objects.filter(plan_run=lost).get().status == StepStatus.ABANDONED


def test_what_nobody_took_is_sent_again(life, sent):
    queued_request(life)
    run = life.step().plan_run
    sent.clear()
    recovery.resend()
    assert sent == []
    Run.objects.filter(pk=run.pk).update(queued_at=timezone.now() - timedelta(seconds=6))
    recovery.resend()
    assert sent == [run.pk]
    recovery.resend()
    assert sent == [run.pk]


def test_a_broker_that_is_down_keeps_nobody_from_asking(
    life, monkeypatch, django_capture_on_commit_callbacks
):
    def no_broker(*_, **__):
        raise OperationalError("connection refused")

    monkeypatch.setattr(current_app, "send_task", no_broker)
    with django_capture_on_commit_callbacks(execute=True):
        queued_request(life)
    assert life.step().plan_run.status == RunStatus.QUEUED


def test_the_sweep_does_nothing_twice(life):
    life.request()
    runs = Run.objects.count()
    recovery.sweep()
    recovery.sweep()
    assert Run.objects.count() == runs


def test_a_run_that_comes_twice_is_executed_once(life):
    queued_request(life)
    run = life.step().plan_run
    life.world.work()
    recovery_runs = Run.objects.count()
    life.world.execute_again(run)
    assert Run.objects.count() == recovery_runs
    assert life.step().status == StepStatus.WAITING


def test_the_folder_of_a_lost_run_is_removed(life):
    queued_request(life)
    lost = life.step().plan_run
    claims.claim(lost.pk, worker=DEAD_WORKER)
    folder = working_dir.make(runner_settings().data_root, lost.pk).path
    recovery.sweep()
    assert not folder.exists()


def test_a_run_whose_loss_was_noted_but_not_followed_up_is_found_by_its_step(life):
    queued_request(life)
    lost = life.step().plan_run
    claims.claim(lost.pk, worker=DEAD_WORKER)
    lost.refresh_from_db()
    claims.mark_lost(lost, message="gone")
    recovery.sweep()
    assert life.step().plan_run != lost
    assert life.step().status == StepStatus.PLANNING


def test_a_run_whose_worker_elsewhere_is_silent_is_taken_over_and_planned_again(life):
    queued_request(life)
    lost = life.step().plan_run
    claims.claim(lost.pk, worker="elsewhere/1/1.00")
    recovery.sweep()
    assert life.step().plan_run == lost
    ago = timedelta(seconds=settings.LEASE_SECONDS + settings.TERRAFORM_GRACE_SECONDS)
    Run.objects.filter(pk=lost.pk).update(lease_until=timezone.now() - ago)
    recovery.sweep()
    assert (life.step().status, life.step().plan_run == lost) == (StepStatus.PLANNING, False)
    life.world.work()
    assert life.step().status == StepStatus.WAITING


def test_nothing_is_taken_over_while_the_clock_is_not_trusted(life, monkeypatch):
    queued_request(life)
    held = life.step().plan_run
    claims.claim(held.pk, worker="elsewhere/1/1.00")
    Run.objects.filter(pk=held.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(clocks, "can_be_trusted", lambda **_: False)
    recovery.sweep()
    held.refresh_from_db()
    assert held.status == RunStatus.RUNNING


def test_the_log_of_a_lost_run_is_kept_as_far_as_it_came(life):
    queued_request(life)
    lost = life.step().plan_run
    claims.claim(lost.pk, worker=DEAD_WORKER)
    storage.whole_log(lost.pk).write(["its last words"])
    recovery.sweep()
    assert list(storage.read_log(lost.pk) or ()) == [b"its last words\n"]


def test_a_run_that_kills_its_worker_every_time_is_given_up_and_says_so(life):
    queued_request(life)
    for times in range(1, outcomes.MOST_LOST_RUNS_PER_STEP + 1):
        assert life.step().status == StepStatus.PLANNING
        claims.claim(life.step().plan_run.pk, worker=DEAD_WORKER)
        recovery.sweep()
        assert Run.objects.filter(status=RunStatus.LOST).count() == times
    step = life.step()
    assert (step.status, step.problem_code) == (StepStatus.FAILED, "run:lost-too-often")
    assert "3 of its runs came to no end" in step.problem


def test_the_rules_are_watched_for_a_while_after_an_apply_was_lost(life, monkeypatch):
    watched: list[Step] = []
    monkeypatch.setattr(emergency, "keep_traffic_back", watched.append)
    life.request()
    step = life.step()
    Step.objects.filter(pk=step.pk).update(started_at=timezone.now(), started_by=life.operator)
    with locked(life.service.pk) as service:
        rollout.advance(service)
    lost = life.step().apply_run
    claims.claim(lost.pk, worker=DEAD_WORKER)
    recovery.sweep()
    watched.clear()
    recovery.sweep()
    assert watched == [step]
    Run.objects.filter(pk=lost.pk).update(ended_at=timezone.now() - timedelta(seconds=31))
    watched.clear()
    recovery.sweep()
    assert watched == []


def test_a_run_whose_worker_is_being_stopped_is_planned_again(life, monkeypatch):
    def stop_worker(**_):
        raise RunCancelled("Its worker is being stopped.")

    queued_request(life)
    first = life.step().plan_run
    monkeypatch.setattr(handing_over, "is_asked", lambda: True)
    with monkeypatch.context() as patch:
        patch.setattr(executor, "plan", stop_worker)
        runs.execute(first.pk, worker=DEAD_WORKER)
    first.refresh_from_db()
    assert first.status == RunStatus.CANCELLED
    assert (life.step().status, life.step().plan_run == first) == (StepStatus.PLANNING, False)
    life.world.work()
    assert life.step().status == StepStatus.WAITING


def test_a_worker_that_lost_its_hold_records_nothing(life, monkeypatch):
    def lose_hold(**_):
        raise HoldLost("Terraform was ended.")

    queued_request(life)
    run = life.step().plan_run
    monkeypatch.setattr(executor, "plan", lose_hold)
    runs.execute(run.pk, worker=DEAD_WORKER)
    run.refresh_from_db()
    assert (run.status, run.error_code) == (RunStatus.RUNNING, "")
    assert life.step().status == StepStatus.PLANNING


def test_an_apply_does_not_begin_once_the_lease_is_over(life):
    life.request()
    step = life.step()
    Step.objects.filter(pk=step.pk).update(started_at=timezone.now(), started_by=life.operator)
    with locked(life.service.pk) as service:
        rollout.advance(service)
    run = life.step().apply_run
    life.world.before_apply = lambda: Run.objects.filter(pk=run.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    runs.execute(run.pk, worker=DEAD_WORKER)
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    assert life.world.applied == life.world.applied[:1]  # the set-up
    assert life.step().plan_run.plan_used_at is None


def test_what_follows_the_emergency_button_is_urgent_and_nothing_else(life):
    life.request()
    assert not Run.objects.filter(urgent=True).exists()
    life.go_to(10)
    life.roll_back()
    life.world.work()
    urgent = set(Run.objects.filter(urgent=True).values_list("operation", flat=True))
    assert urgent == {"plan", "apply"}
    assert {made.step.transition for made in StepRun.objects.filter(run__urgent=True)} == {"rollback"}


def test_urgent_runs_are_sent_to_their_own_queue_each_time(life, monkeypatch):
    queues = []
    monkeypatch.setattr(dispatch, "send_run", lambda _, *, urgent=False: queues.append(urgent))
    life.request()
    life.go_to(10)
    queues.clear()
    life.roll_back()
    Run.objects.filter(status=RunStatus.QUEUED).update(queued_at=timezone.now() - timedelta(seconds=6))
    recovery.resend()
    assert queues == [True, True]


def test_what_a_run_has_left_here_is_removed_when_another_host_has_taken_it_over(life, caplog):
    data_root = runner_settings().data_root
    ended, going_on = life.service.steps.get().plan_run, uuid4()
    folders = [working_dir.make(data_root, run_id) for run_id in (ended.pk, going_on)]
    (folders[0].root / "errored.tfstate").write_text("{}")
    recovery.sweep()
    assert [folder.path.exists() for folder in folders] == [False, True]
    assert f"run {ended.pk} has left a state that is nowhere else" in caplog.text
    working_dir.discard(data_root, going_on)


def test_what_an_apply_has_made_is_not_recorded_once_the_lease_is_over(life):
    life.request()
    step = life.step()
    Step.objects.filter(pk=step.pk).update(started_at=timezone.now(), started_by=life.operator)
    with locked(life.service.pk) as service:
        rollout.advance(service)
    run = life.step().apply_run
    life.world.during_apply = lambda: Run.objects.filter(pk=run.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    runs.execute(run.pk, worker=DEAD_WORKER)
    run.refresh_from_db()
    assert (run.status, life.step().status) == (RunStatus.RUNNING, StepStatus.APPLYING)


def lose_apply(life) -> Run:
    """The step's apply is begun, and its worker dies."""
    Step.objects.filter(pk=life.step().pk).update(started_at=timezone.now(), started_by=life.operator)
    with locked(life.service.pk) as service:
        rollout.advance(service)
    lost = life.step().apply_run
    claims.claim(lost.pk, worker=DEAD_WORKER)
    recovery.end_lost_runs()
    return lost


def test_an_update_that_was_interrupted_before_its_version_was_published_is_brought_to_its_end(life):
    life.request()
    step, green = life.step(), life.world.functions[Color.GREEN]
    green.unpublished = (reference("v2").partition("@")[2], {})
    lose_apply(life)

    life.world.work()

    step.refresh_from_db()
    assert (step.status, step.problem) == (StepStatus.DONE, "")
    assert (green.versions[-1], green.alias) == ((reference("v2").partition("@")[2], {}), 2)
    event = AuditEvent.objects.get(action="step.publishing")
    assert event.after["function"] == "shop-green"


def test_an_interrupted_update_is_not_published_by_a_worker_that_has_lost_its_hold(life):
    life.request()
    green = life.world.functions[Color.GREEN]
    green.unpublished = (reference("v2").partition("@")[2], {})
    lose_apply(life)
    run = life.step().plan_run
    life.world.before_plan = lambda: Run.objects.filter(pk=run.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )

    runs.execute(run.pk, worker=DEAD_WORKER)

    assert len(green.versions) == 1
    assert not AuditEvent.objects.filter(action="step.publishing").exists()
