"""Hold, go on, try again, leave out, give up: what becomes of the steps, the runs and the traffic."""

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.observed.reality import Difference
from releases.domain.traffic import Transition
from releases.models import Release, Service, Step
from releases.services import release_acts, requests
from releases.services.approval import approvals
from releases.services.errors import ActRefused
from releases.services.execution import recovery
from releases.services.requests import ReleaseRequest
from releases.services.tests.world import reference
from terraform_runner.domain.runs import RunStatus
from terraform_runner.errors import StateLocked
from terraform_runner.models import Run

LOCKED = StateLocked("locked", who="ana", since="", operation="")


@pytest.fixture
def open_release(life) -> Release:
    """At its canary, whose plan waits."""
    release = life.request()
    life.go_on()
    return release


def pause(life, release) -> None:
    release_acts.pause(release_id=release.pk, user=life.operator)
    life.world.work()


def resume(life, release) -> None:
    release_acts.resume(release_id=release.pk, user=life.operator)
    life.world.work()


def refused(act, **given) -> str:
    with pytest.raises(ActRefused) as refusal:
        act(**given)
    return refusal.value.code


def statuses(release) -> list[str]:
    return list(release.steps.order_by("position").values_list("status", flat=True))


def test_a_paused_release_applies_nothing_though_it_is_approved_and_goes_on_when_it_is_resumed(
    life, open_release
):
    life.start()
    pause(life, open_release)
    life.approve()
    recovery.sweep()
    assert life.step().status == StepStatus.WAITING
    assert not life.now().activate_canary
    resume(life, open_release)
    assert life.now().activate_canary


def test_a_paused_release_is_not_started(life, open_release):
    pause(life, open_release)
    assert refused(approvals.start, step_id=life.step().pk, user=life.operator) == "act:paused"


def test_a_paused_release_says_since_when_until_it_is_resumed(life, open_release):
    pause(life, open_release)
    open_release.refresh_from_db()
    assert open_release.is_open
    assert open_release.paused_at is not None
    resume(life, open_release)
    open_release.refresh_from_db()
    assert (open_release.status, open_release.paused_at) == (ReleaseStatus.OPEN, None)
    actions = AuditEvent.objects.filter(action__startswith="release.").values_list("action", flat=True)
    assert list(actions.order_by("id")) == ["release.requested", "release.paused", "release.resumed"]


def test_in_a_paused_release_the_bake_time_goes_on_and_the_next_step_is_not_begun(life):
    release = life.request(bake_seconds=60)
    life.go_on()
    life.go_on()
    approvals.start(step_id=release.steps.get(candidate_share=10).pk, user=life.operator)
    pause(life, release)
    baking = release.steps.get(status=StepStatus.BAKING)
    release.steps.filter(pk=baking.pk).update(bake_until=timezone.now())
    life.world.work()
    assert release.steps.get(pk=baking.pk).status == StepStatus.DONE
    assert life.step().status == StepStatus.WAITING
    resume(life, release)
    assert life.now().candidate_share == 10


def test_a_step_is_not_planned_in_a_paused_release(life):
    Service.objects.update(settle_seconds=3600)
    life.request()
    life.go_to(100)
    release = life.request("v3")
    pause(life, release)
    Service.objects.update(settle_seconds=0)
    life.world.work()
    assert life.step().status == StepStatus.PENDING
    resume(life, release)
    assert life.step().status == StepStatus.WAITING


def test_an_apply_that_was_queued_and_has_not_begun_is_planned_again_when_the_release_is_paused(
    life, open_release
):
    life.approve()
    approvals.start(step_id=life.step().pk, user=life.operator)
    assert life.step().status == StepStatus.APPLYING
    release_acts.pause(release_id=open_release.pk, user=life.operator)
    applied = len(life.world.applied)
    life.world.work()
    assert (life.step().status, len(life.world.applied)) == (StepStatus.WAITING, applied)
    resume(life, open_release)
    assert life.now().activate_canary


def test_an_apply_that_runs_when_the_release_is_paused_finishes(life, open_release):
    life.approve()
    life.world.during_apply = lambda: release_acts.pause(release_id=open_release.pk, user=life.operator)
    life.start()
    assert life.now().activate_canary
    open_release.refresh_from_db()
    assert open_release.status == ReleaseStatus.PAUSED
    assert life.step().status == StepStatus.PENDING


def test_a_release_whose_promotion_runs_when_it_is_paused_is_promoted(life, open_release):
    life.go_to(50)
    life.approve()
    life.world.during_apply = lambda: release_acts.pause(release_id=open_release.pk, user=life.operator)
    life.start()
    open_release.refresh_from_db()
    assert (open_release.status, life.now().candidate_share) == (ReleaseStatus.PROMOTED, 100)


def test_the_button_works_in_a_paused_release(life, open_release):
    life.go_to(10)
    pause(life, open_release)
    life.roll_back()
    life.world.work()
    open_release.refresh_from_db()
    assert (open_release.status, life.world.green_weight()) == (ReleaseStatus.ROLLED_BACK, 0)


def test_a_step_whose_plan_failed_is_planned_again(life):
    life.world.plan_fails = LOCKED
    release = life.request()
    assert life.step().status == StepStatus.FAILED
    life.world.plan_fails = None
    release_acts.retry(step_id=life.step().pk, user=life.operator)
    life.world.work()
    step = life.step()
    assert (step.status, step.problem, step.problem_code) == (StepStatus.WAITING, "", "")
    assert step.started_at is None
    event = AuditEvent.objects.get(action="step.retried")
    assert (event.actor_name, event.subject["release"]) == ("otto", str(release.pk))


def test_a_step_whose_apply_failed_goes_on_after_its_new_plan_where_the_approval_fits_it(life, open_release):
    life.approve()
    life.world.apply_fails = LOCKED
    life.start()
    assert life.step().status == StepStatus.FAILED
    life.world.apply_fails = None
    release_acts.retry(step_id=life.step().pk, user=life.operator)
    life.world.work()
    assert life.now().activate_canary


def test_a_step_that_failed_asks_again_where_its_new_plan_changes_something_else(life, open_release):
    life.approve()
    life.world.apply_fails = LOCKED
    life.start()
    life.world.apply_fails, life.world.salt = None, "other changes"
    release_acts.retry(step_id=life.step().pk, user=life.operator)
    life.world.work()
    assert life.step().status == StepStatus.WAITING
    life.approve()
    assert life.now().activate_canary


def test_a_step_that_was_rejected_while_users_are_split_is_asked_for_again(life):
    release = life.request(extra_gates=["shift-50"])
    life.go_to(10)
    life.reject()
    release.refresh_from_db()
    assert (release.status, life.step().status) == (ReleaseStatus.OPEN, StepStatus.REJECTED)
    release_acts.retry(step_id=life.step().pk, user=life.operator)
    life.world.work()
    life.go_on()
    assert life.now().candidate_share == 50


def test_what_was_approved_before_a_rejection_does_not_count_when_it_is_asked_for_again(life):
    life.request(extra_gates=["shift-50"])
    life.go_to(10)
    life.approve()
    life.world.outdated, life.world.salt = [Difference(what="x", expected="0", found="1")], "other changes"
    life.world.outdated_times = 1
    life.start()
    life.reject()
    life.world.salt = ""
    release_acts.retry(step_id=life.step().pk, user=life.operator)
    life.world.work()
    assert (life.step().status, life.now().candidate_share) == (StepStatus.WAITING, 10)


def test_a_step_is_skipped_and_its_approval_is_asked_for_at_the_next_one(life, open_release):
    release_acts.skip(step_id=life.step().pk, user=life.operator)
    life.world.work()
    skipped, following = open_release.steps.order_by("position")[1:3]
    assert (skipped.status, skipped.ended_at is None) == (StepStatus.SKIPPED, False)
    assert (following.transition, following.gate, following.status) == ("shift", True, StepStatus.WAITING)
    life.go_on()
    assert (life.now().candidate_share, life.now().activate_canary) == (10, False)


def test_a_skipped_step_without_an_approval_adds_none(life, open_release):
    life.go_on()
    release_acts.skip(step_id=life.step().pk, user=life.operator)
    life.world.work()
    following = life.step()
    assert (following.candidate_share, following.gate) == (50, False)
    assert not AuditEvent.objects.filter(action="step.asks-again").exists()


def test_a_plan_that_is_being_made_for_a_skipped_step_is_stopped(life, open_release):
    life.approve()
    approvals.start(step_id=life.step().pk, user=life.operator)
    for run in Run.objects.filter(status=RunStatus.QUEUED):
        life.world.execute_again(run)
    step = life.step()
    assert (step.candidate_share, step.status) == (10, StepStatus.PLANNING)
    release_acts.skip(step_id=step.pk, user=life.operator)
    step.plan_run.refresh_from_db()
    assert step.plan_run.status == RunStatus.CANCELLED
    life.world.work()
    assert (life.step().candidate_share, life.step().status) == (50, StepStatus.WAITING)


@pytest.mark.parametrize("act", [release_acts.skip, release_acts.retry])
def test_a_page_that_is_behind_acts_on_no_other_step(life, open_release, act):
    earlier = life.step()
    life.go_on()
    Step.objects.filter(pk=life.step().pk).update(status=StepStatus.FAILED)
    assert refused(act, step_id=earlier.pk, user=life.operator) == "act:other-step"


def test_the_rest_of_a_bake_time_is_skipped(life):
    release = life.request(bake_seconds=3600)
    life.go_on()
    life.go_on()
    baking, following = release.steps.order_by("position")[1:3]
    approvals.start(step_id=following.pk, user=life.operator)
    assert refused(release_acts.skip_bake, step_id=following.pk, user=life.operator) == "act:other-step"
    release_acts.skip_bake(step_id=baking.pk, user=life.operator)
    life.world.work()
    assert statuses(release)[1:3] == [StepStatus.DONE, StepStatus.BAKING]
    assert life.now().candidate_share == 10


def test_a_release_that_nobody_was_sent_to_is_cancelled(life, open_release):
    release_acts.cancel(release_id=open_release.pk, user=life.requester, reason="the wrong tag")
    open_release.refresh_from_db()
    assert (open_release.status, open_release.ended_at is None) == (ReleaseStatus.CANCELLED, False)
    assert statuses(open_release) == [StepStatus.DONE, *[StepStatus.ABANDONED] * 4]
    event = AuditEvent.objects.get(action="release.cancelled")
    assert (event.actor_name, event.reason) == ("rita", "the wrong tag")


def test_after_a_cancellation_the_next_release_begins_with_its_rotation(life, open_release):
    release_acts.cancel(release_id=open_release.pk, user=life.operator)
    life.request("v3")
    life.go_on()
    assert life.now().green.image == reference("v3")


def test_a_plan_that_is_being_made_when_its_release_is_cancelled_is_stopped(life):
    wanted = ReleaseRequest(tag="v2", weights=[50])
    release = requests.request_release(service_id=life.service.pk, user=life.requester, wanted=wanted)
    run = life.step().plan_run
    release_acts.cancel(release_id=release.pk, user=life.operator)
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    life.world.work()
    assert len(life.world.applied) == 1


def test_an_apply_that_runs_is_not_cancelled(life):
    release = life.request()
    seen = []
    life.world.during_apply = lambda: seen.append(
        refused(release_acts.cancel, release_id=release.pk, user=life.operator)
    )
    life.start()
    assert seen == ["act:applying"]


def test_a_release_that_somebody_was_sent_to_is_not_cancelled_though_nobody_is_any_more(life, open_release):
    life.go_on()
    assert refused(release_acts.cancel, release_id=open_release.pk, user=life.operator) == "act:was-sent"


def test_a_canary_that_was_begun_and_failed_counts_as_sent(life, open_release):
    life.approve()
    life.world.apply_fails = LOCKED
    life.start()
    assert life.step().status == StepStatus.FAILED
    assert refused(release_acts.cancel, release_id=open_release.pk, user=life.operator) == "act:was-sent"


def test_a_canary_whose_apply_was_refused_before_it_began_does_not_count_as_sent(life, open_release):
    life.approve()
    life.world.outdated, life.world.outdated_times = [Difference(what="x", expected="0", found="1")], 1
    life.world.plan_fails = LOCKED
    life.start()
    release_acts.cancel(release_id=open_release.pk, user=life.operator)
    assert life.now().activate_canary is False


def test_a_rotation_whose_apply_failed_is_rolled_back_and_not_cancelled(life):
    release = life.request()
    life.world.apply_fails = LOCKED
    life.start()
    assert life.step().status == StepStatus.FAILED
    assert refused(release_acts.cancel, release_id=release.pk, user=life.operator) == "act:half-applied"


@pytest.mark.parametrize("act", [release_acts.pause, release_acts.resume, release_acts.cancel])
def test_a_release_that_has_ended_is_left_alone(life, open_release, act):
    life.roll_back()
    assert refused(act, release_id=open_release.pk, user=life.operator) == "act:ended"


def test_nothing_is_done_by_who_may_not(life, open_release):
    events = AuditEvent.objects.count()
    for act in (release_acts.pause, release_acts.resume, release_acts.cancel):
        assert refused(act, release_id=open_release.pk, user=life.manager) == "person:no-permission"
    for step_act in (release_acts.retry, release_acts.skip, release_acts.skip_bake):
        assert refused(step_act, step_id=life.step().pk, user=life.manager) == "person:no-permission"
    assert AuditEvent.objects.count() == events
    assert life.step().transition == Transition.CANARY


@pytest.mark.parametrize("act", [release_acts.retry, release_acts.skip, release_acts.skip_bake])
def test_a_step_of_no_release_is_none_that_is_skipped_or_tried_again_there(life, act):
    own = Step.objects.get(service=life.service, release=None)
    assert refused(act, step_id=own.pk, user=life.operator) == "act:no-release"
