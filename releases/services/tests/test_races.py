"""Several people, workers or sweeps at the same moment: real threads and connections, let go together."""

import threading
from collections.abc import Callable

import pytest
from celery import current_app
from django.db import connections, transaction

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.errors import DomainError
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Approval, EmergencyRollback, Release, Service, Step
from releases.services import release_acts, requests, rollout, shares
from releases.services.approval import approvals
from releases.services.execution import recovery, runs
from releases.services.lifecycle import change_step, person
from releases.services.requests import ReleaseRequest
from releases.services.rollback import rollbacks
from terraform_runner import executor
from terraform_runner.domain.runs import RunStatus
from terraform_runner.errors import StateLocked
from terraform_runner.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _messages(monkeypatch):
    """No broker is asked: the tests say themselves which message arrives when."""
    monkeypatch.setattr(current_app, "send_task", lambda *_, **__: None)


@pytest.fixture(autouse=True)
def _whoever_comes_second_waits(monkeypatch):
    """On a busy machine a press waits for another act's end for longer than it may, and is in a file then."""
    monkeypatch.setattr(rollbacks, "LOCK_TIMEOUT_MS", 60_000)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do these at the same moment, each on a connection of its own: how each was refused, "" where it was not."""
    barrier, answers = threading.Barrier(len(acts)), [""] * len(acts)

    def go(number: int) -> None:
        try:
            barrier.wait()
            acts[number]()
        except DomainError as refusal:
            answers[number] = refusal.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=[number]) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def at_the_gate(life):
    """A release at its canary, whose plan waits for a decision."""
    life.release = life.request()
    life.go_on()
    return life


def events(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()


def test_of_two_approvals_one_counts(at_the_gate, person):
    second, shown = person("max", Permission.APPROVE), at_the_gate.shown()
    answers = at_once(
        lambda: approvals.approve(**shown, user=at_the_gate.manager),
        lambda: approvals.approve(**shown, user=second),
    )
    assert sorted(answers) == ["", "approval:decided"]
    assert (Approval.objects.count(), events("plan.approved")) == (1, 1)


def test_of_an_approval_and_a_rejection_one_counts(at_the_gate, person):
    second, shown = person("max", Permission.APPROVE), at_the_gate.shown()
    approved, rejected = at_once(
        lambda: approvals.approve(**shown, user=at_the_gate.manager),
        lambda: approvals.reject(**shown, user=second, comment="no"),
    )
    assert (approved == "") != (rejected == "")
    decision = Approval.objects.get().decision
    assert decision == ("approved" if approved == "" else "rejected")
    at_the_gate.release.refresh_from_db()
    ended = at_the_gate.release.status == ReleaseStatus.REJECTED
    assert ended == (decision == "rejected")


def test_of_an_approval_and_a_rollback_nothing_is_applied(at_the_gate):
    at_the_gate.start()
    shown, applied = at_the_gate.shown(), len(at_the_gate.world.applied)
    at_once(lambda: approvals.approve(**shown, user=at_the_gate.manager), at_the_gate.roll_back)
    at_the_gate.world.work()
    canaries = [one["activate_canary"] for one in at_the_gate.world.applied[applied:]]
    assert not any(canaries)
    assert Release.objects.get().status == ReleaseStatus.ROLLED_BACK


def test_of_two_starts_one_counts(life):
    life.request()
    step = life.step()
    answers = at_once(*[lambda: approvals.start(step_id=step.pk, user=life.operator)] * 2)
    assert answers.count("") == 1
    assert set(answers) <= {"", "act:started", "act:not-startable"}
    assert events("step.started") == 1
    assert step.step_runs.filter(run__operation="apply").count() == 1


def test_of_two_requests_one_opens_a_release(life):
    def request(tag: str) -> None:
        wanted = ReleaseRequest(tag=tag, weights=[50])
        requests.request_release(service_id=life.service.pk, user=life.requester, wanted=wanted)

    answers = at_once(lambda: request("v2"), lambda: request("v3"))
    assert sorted(answers) == ["", "act:release-open"]
    assert (Release.objects.count(), events("release.requested")) == (1, 1)
    assert Run.objects.filter(status=RunStatus.QUEUED).count() == 1


def test_of_two_presses_of_the_button_one_is_the_rollback_and_the_other_joins_it(life):
    life.request()
    life.go_to(50)
    assert at_once(life.roll_back, life.roll_back) == ["", ""]
    assert EmergencyRollback.objects.count() == Service.objects.get().epoch == 1
    assert (events("rollback.pressed"), events("rollback.joined")) == (1, 1)
    assert life.world.green_weight() == 0
    assert Run.objects.filter(status=RunStatus.QUEUED).count() == 1


def test_a_request_and_the_button_end_with_nobody_on_the_new_version(life):
    life.world.weights["arn:rule/traffic"] = {"arn:group/blue": 60, "arn:group/green": 40}
    wanted = ReleaseRequest(tag="v2", weights=[50])
    requested, pressed = at_once(
        lambda: requests.request_release(service_id=life.service.pk, user=life.requester, wanted=wanted),
        life.roll_back,
    )
    assert pressed == ""
    assert requested in {"", "act:converging"}
    assert set(Release.objects.values_list("status", flat=True)) <= {ReleaseStatus.ROLLED_BACK}
    assert life.world.green_weight() == 0


def test_a_message_that_comes_three_times_at_once_is_executed_once(life, monkeypatch):
    wanted = ReleaseRequest(tag="v2", weights=[50])
    requests.request_release(service_id=life.service.pk, user=life.requester, wanted=wanted)
    run, plan, made = life.step().plan_run, life.world.plan, []

    def counted(**given):
        made.append(threading.current_thread().name)
        return plan(**given)

    monkeypatch.setattr(executor, "plan", counted)
    at_once(*[lambda: runs.execute(run.pk, worker="tests/1/1.00")] * 3)
    assert len(made) == 1
    assert life.step().status == StepStatus.WAITING
    assert AuditEvent.objects.filter(action="step.planned", subject__step=str(life.step().pk)).count() == 1


def test_two_sweeps_at_once_queue_one_run(life):
    Service.objects.update(settle_seconds=3600)
    life.request()
    life.go_to(100)
    life.request("v3")
    assert life.step().status == StepStatus.PENDING
    Service.objects.update(settle_seconds=0)
    at_once(recovery.sweep, recovery.sweep)
    assert life.step().status == StepStatus.PLANNING
    assert life.step().step_runs.count() == 1


def test_a_change_that_is_taken_back_leaves_neither_status_nor_event_nor_run(life):
    life.request()
    step, before = life.step(), (AuditEvent.objects.count(), Run.objects.count())
    with transaction.atomic():
        service = Service.objects.select_for_update().get(pk=life.service.pk)
        rollout.plan(service, step, actor=person(life.operator), action="step.planned-again")
        transaction.set_rollback(True)
    assert Step.objects.get(pk=step.pk).status == StepStatus.WAITING
    assert (AuditEvent.objects.count(), Run.objects.count()) == before


def test_a_step_that_has_changed_meanwhile_is_not_changed_again(life):
    life.request()
    mine, theirs = life.step(), life.step()
    with transaction.atomic():
        change_step(theirs, StepStatus.ABANDONED, actor=person(life.operator), action="step.abandoned")
    with pytest.raises(DomainError, match="Someone was faster"), transaction.atomic():
        change_step(mine, StepStatus.PLANNING, actor=person(life.operator), action="step.planned-again")
    assert Step.objects.get(pk=mine.pk).status == StepStatus.ABANDONED
    assert events("step.planned-again") == 0


def test_of_a_pause_and_a_start_both_are_recorded_and_nothing_is_applied_twice(at_the_gate):
    at_the_gate.approve()
    step, applied = at_the_gate.step(), len(at_the_gate.world.applied)
    paused, started = at_once(
        lambda: release_acts.pause(release_id=at_the_gate.release.pk, user=at_the_gate.operator),
        lambda: approvals.start(step_id=step.pk, user=at_the_gate.operator),
    )
    assert paused == ""
    assert started in {"", "act:paused"}
    at_the_gate.world.work()
    assert len(at_the_gate.world.applied) == applied
    assert Step.objects.get(pk=step.pk).status == StepStatus.WAITING


def test_of_two_shares_one_is_set_and_the_other_told_what_comes_next(at_the_gate):
    at_the_gate.approve()

    def set_to_30() -> None:
        shares.set_share(release_id=at_the_gate.release.pk, share=30, user=at_the_gate.operator)

    assert sorted(at_once(set_to_30, set_to_30)) == ["", "act:next-already"]
    assert at_the_gate.release.steps.filter(candidate_share=30).count() == 1
    positions = at_the_gate.release.steps.order_by("position").values_list("position", flat=True)
    assert list(positions) == list(range(len(positions)))


def test_of_a_share_and_the_button_the_button_wins(at_the_gate):
    at_the_gate.go_on()
    at_the_gate.go_to(10)
    set_to_5, pressed = at_once(
        lambda: shares.set_share(release_id=at_the_gate.release.pk, share=5, user=at_the_gate.operator),
        at_the_gate.roll_back,
    )
    assert pressed == ""
    assert set_to_5 in {"", "act:ended"}
    at_the_gate.world.work()
    assert at_the_gate.world.green_weight() == 0
    assert Release.objects.get().status == ReleaseStatus.ROLLED_BACK
    assert not Run.objects.filter(status=RunStatus.QUEUED).exists()


def test_of_a_cancellation_and_an_approval_nothing_is_applied(at_the_gate):
    at_the_gate.start()
    shown, applied = at_the_gate.shown(), len(at_the_gate.world.applied)
    cancelled, approved = at_once(
        lambda: release_acts.cancel(release_id=at_the_gate.release.pk, user=at_the_gate.operator),
        lambda: approvals.approve(**shown, user=at_the_gate.manager),
    )
    assert (cancelled, approved) in {("", "approval:no-plan"), ("act:applying", "")}
    at_the_gate.world.work()
    assert len(at_the_gate.world.applied) == applied + (approved == "")


def test_of_a_skip_and_a_start_the_step_is_one_or_the_other(at_the_gate):
    at_the_gate.approve()
    step = at_the_gate.step()
    skipped, started = at_once(
        lambda: release_acts.skip(step_id=step.pk, user=at_the_gate.operator),
        lambda: approvals.start(step_id=step.pk, user=at_the_gate.operator),
    )
    assert (skipped == "") != (started == "")
    at_the_gate.world.work()
    status = Step.objects.get(pk=step.pk).status
    assert status == (StepStatus.SKIPPED if skipped == "" else StepStatus.DONE)


def test_of_two_retries_one_plans(life):
    life.world.plan_fails = StateLocked("locked", who="x", since="", operation="")
    life.request()
    step = life.step()
    runs_before = step.step_runs.count()
    answers = at_once(*[lambda: release_acts.retry(step_id=step.pk, user=life.operator)] * 2)
    assert sorted(answers) == ["", "act:not-failed"]
    assert step.step_runs.count() == runs_before + 1
