from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.observed.reality import Difference
from releases.domain.plans.guard import Refusal
from releases.domain.traffic import Color, Transition
from releases.models import Service, Step
from releases.services.approval import approvals
from releases.services.execution import recovery
from releases.services.execution.outcomes import MOST_RUNS_PER_STEP
from releases.services.tests.world import reference
from terraform_runner import executor
from terraform_runner.errors import StateLocked

OUTDATED = [Difference(what="green's weight", expected="0", found="40")]


def statuses(release):
    return [(step.transition, step.status) for step in release.steps.order_by("position")]


def test_a_set_up_service_has_one_version_on_both_colours_and_knows_its_addresses(service):
    assert service.set_up_at is not None
    assert service.blue_image == service.green_image == reference("v1")
    assert service.traffic_rule_arn == "arn:rule/traffic"
    assert service.function_versions == {Color.BLUE: "1", Color.GREEN: "1"}
    assert service.safe_color == Color.BLUE


def test_a_request_is_planned_at_once_and_waits_to_be_started(life):
    release = life.request()
    assert statuses(release)[0] == (Transition.ROTATE_CANDIDATE, StepStatus.WAITING)
    assert {status for _, status in statuses(release)[1:]} == {StepStatus.PENDING}
    assert len(life.world.applied) == 1


def test_a_release_goes_to_everyone_step_by_step_and_is_promoted(life):
    release = life.request()
    life.go_on()
    assert (life.now().green.image, life.now().candidate_share) == (reference("v2"), 0)
    life.go_on()
    assert life.now().activate_canary
    assert life.world.sources["arn:rule/canary"] == {"203.0.113.7/32"}
    for share in (10, 50, 100):
        life.go_on()
        assert life.now().candidate_share == life.world.green_weight() == share
    release.refresh_from_db()
    assert release.status == ReleaseStatus.PROMOTED
    assert not life.now().activate_canary
    assert life.now().blue.image == reference("v1")


def test_a_started_step_goes_on_by_itself_after_its_approval(life):
    life.request()
    life.go_on()
    life.start()
    assert not life.now().activate_canary
    life.approve()
    assert life.now().activate_canary


def test_an_approved_step_waits_for_its_start(life):
    life.request()
    life.go_on()
    life.approve()
    assert not life.now().activate_canary
    life.start()
    assert life.now().activate_canary


@pytest.fixture
def baking(life):
    """The canary bakes for an hour; the first shift is planned meanwhile."""
    release = life.request(bake_seconds=3600)
    life.go_on()
    life.go_on()
    return release.steps.order_by("position")[1:3]


def bake_over(step: Step) -> None:
    Step.objects.filter(pk=step.pk).update(bake_until=timezone.now())


def test_a_step_is_planned_while_the_one_before_it_bakes_and_applied_after_that(life, baking):
    canary, shift = baking
    assert (canary.status, shift.status) == (StepStatus.BAKING, StepStatus.WAITING)
    from_now = canary.bake_until - timezone.now()
    assert timedelta(minutes=50) < from_now <= timedelta(hours=1)
    plans = shift.step_runs.count()
    approvals.start(step_id=shift.pk, user=life.operator)
    recovery.sweep()
    assert Step.objects.get(pk=shift.pk).status == StepStatus.WAITING
    bake_over(canary)
    recovery.sweep()
    assert Step.objects.get(pk=shift.pk).status == StepStatus.APPLYING
    life.world.work()
    assert life.now().candidate_share == 10
    assert shift.step_runs.count() == plans + 1


def test_a_baking_step_is_done_when_its_time_is_over_though_nobody_starts_the_next_one(life, baking):
    canary, shift = baking
    bake_over(canary)
    recovery.sweep()
    canary.refresh_from_db()
    assert canary.status == StepStatus.DONE
    assert life.step() == shift


def test_a_plan_that_fails_while_the_step_before_it_bakes_does_not_end_the_bake(life, monkeypatch):
    life.request(bake_seconds=60)
    life.go_on()
    plan = life.world.plan

    def fails_for_the_shift(**given):
        if given["workspace"].variables["green_weight"]:
            raise StateLocked("locked", who="x", since="", operation="")
        return plan(**given)

    monkeypatch.setattr(executor, "plan", fails_for_the_shift)
    life.go_on()
    canary, shift = Step.objects.filter(release__isnull=False).order_by("position")[1:3]
    assert (canary.status, shift.status) == (StepStatus.BAKING, StepStatus.FAILED)


def test_a_step_that_is_automatic_is_applied_without_a_start_and_the_trail_says_so(life):
    release = life.request()
    release.steps.update(automatic=True)
    recovery.sweep()
    life.world.work()
    assert statuses(release)[0] == (Transition.ROTATE_CANDIDATE, StepStatus.DONE)
    started = AuditEvent.objects.get(action="step.started")
    assert (started.actor_name, started.reason) == ("Bluegreen", "It starts by itself.")
    assert release.steps.get(position=0).started_by is None


def test_an_automatic_step_waits_for_its_approval(life):
    release = life.request()
    release.steps.update(automatic=True)
    recovery.sweep()
    life.world.work()
    assert life.step().transition == Transition.CANARY
    assert not life.now().activate_canary
    life.approve()
    assert life.now().activate_canary


def test_an_automatic_step_waits_for_the_bake_of_the_one_before_it(life, baking):
    canary = baking[0]
    Step.objects.update(automatic=True)
    recovery.sweep()
    life.world.work()
    assert life.now().candidate_share == 0
    bake_over(canary)
    recovery.sweep()
    life.world.work()
    assert life.now().candidate_share == 10
    assert life.step().transition == Transition.SHIFT


def test_the_next_release_rotates_in_three_parts_which_one_press_starts(life):
    life.request()
    life.go_to(100)
    second = life.request("v3")
    assert [transition for transition, _ in statuses(second)][:3] == [
        Transition.ROTATE_STABLE,
        Transition.ROTATE_TRAFFIC,
        Transition.ROTATE_CANDIDATE,
    ]
    life.start()
    while life.step().transition != Transition.CANARY:
        life.world.work()
    blue_then_weight_then_green = [
        (one["blue_image"], one["green_weight"], one["green_image"]) for one in life.world.applied[-3:]
    ]
    assert blue_then_weight_then_green == [
        (reference("v2"), 100, reference("v2")),
        (reference("v2"), 0, reference("v2")),
        (reference("v2"), 0, reference("v3")),
    ]


def test_the_promoted_colour_is_the_safe_one_from_the_apply_of_the_first_part_until_it_is_verified(life):
    life.request()
    life.go_to(100)
    life.request("v3")
    seen = []
    life.world.during_apply = lambda: seen.append(Service.objects.get().safe_color)
    assert Service.objects.get().safe_color == Color.BLUE
    life.start()
    assert seen[0] == Color.GREEN
    assert Service.objects.get().safe_color == Color.BLUE


def test_a_first_part_that_fails_leaves_the_promoted_colour_as_the_safe_one(life):
    life.request()
    life.go_to(100)
    life.request("v3")
    life.world.apply_fails = StateLocked("locked", who="x", since="", operation="")
    life.start()
    assert Service.objects.get().safe_color == Color.GREEN
    assert life.step().status == StepStatus.FAILED


def test_a_function_that_had_traffic_settles_before_it_is_changed(life):
    Service.objects.update(settle_seconds=3600)
    life.request()
    life.go_to(100)
    life.request("v3")
    assert life.step().status == StepStatus.PENDING
    Service.objects.update(blue_traffic_ended_at=timezone.now() - timedelta(seconds=3601))
    recovery.sweep()
    assert life.step().status == StepStatus.PLANNING


def test_a_step_whose_plan_changes_nothing_is_done_without_gate_or_start(life):
    life.request()
    life.go_on()
    life.roll_back()
    life.world.work()
    release = life.request()
    assert statuses(release)[:2] == [
        (Transition.ROTATE_CANDIDATE, StepStatus.DONE),
        (Transition.CANARY, StepStatus.WAITING),
    ]


def test_a_refused_plan_fails_the_step_with_every_reason(life):
    life.world.refusals = [
        Refusal(address="module.service.x", attribute="a", reason="would be deleted."),
        Refusal(address="", attribute="", reason="is not complete."),
    ]
    life.request()
    step = life.step()
    assert (step.status, step.problem_code) == (StepStatus.FAILED, "plan:refused")
    assert step.problem.splitlines() == ["module.service.x, a: would be deleted.", "is not complete."]


def test_an_error_of_terraform_fails_the_step_in_its_words(life):
    life.world.plan_fails = StateLocked("Locked by ana.", who="ana", since="", operation="")
    life.request()
    assert (life.step().status, life.step().problem) == (StepStatus.FAILED, "Locked by ana.")
    assert life.step().plan_run.error_code == "terraform:state-locked"


def test_an_unexpected_error_fails_the_step_and_is_raised_for_the_log(life):
    life.request()
    life.world.during_apply = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        life.start()
    assert life.step().problem_code == "bluegreen:unexpected"


def test_a_plan_that_reality_has_left_behind_is_not_applied_but_made_again(life):
    life.request()
    applied = len(life.world.applied)
    life.world.outdated = OUTDATED
    life.world.plan_fails = StateLocked("here it stops", who="", since="", operation="")
    life.start()
    assert len(life.world.applied) == applied
    first, second = life.step().step_runs.all()[0].run, life.step().plan_run
    assert first != second
    event = AuditEvent.objects.filter(action="step.planned-again").get()
    assert "green's weight" in event.reason


def test_a_plan_that_never_fits_is_given_up(life):
    life.request()
    life.world.outdated = OUTDATED
    life.start()
    step = life.step()
    assert (step.status, step.problem_code) == (StepStatus.FAILED, "plan:too-often")
    assert step.step_runs.count() <= MOST_RUNS_PER_STEP + 1


@pytest.mark.parametrize(("salt", "kept"), [("", True), ("other changes", False)])
def test_an_approval_is_kept_by_a_new_plan_only_for_the_same_changes(life, salt, kept):
    life.request()
    life.go_on()
    life.approve()
    life.world.outdated = OUTDATED
    life.world.salt = salt
    life.world.outdated_times = 1
    life.start()
    assert life.now().activate_canary is kept
    assert life.step().status == StepStatus.WAITING


def test_an_apply_that_did_not_bring_what_was_wanted_fails_the_step(life):
    life.request()
    life.go_on()
    life.go_on()
    life.world.during_apply = lambda: setattr(life.world, "_become", lambda _: None)
    life.start()
    assert (life.step().status, life.step().problem_code) == (StepStatus.FAILED, "verify:differs")
    assert life.now().candidate_share == 0


def test_every_change_of_status_has_its_audit_event(life):
    release = life.request()
    life.go_on()
    step = release.steps.order_by("position")[0]
    events = AuditEvent.objects.filter(subject__step=str(step.pk)).order_by("id")
    assert [event.action for event in events] == [
        "step.planning",
        "plan.made",
        "step.planned",
        "step.started",
        "step.applying",
        "step.apply-started",
        "apply.ended",
        "step.read-back",
        "step.verified",
    ]
    assert [event.after.get("status") for event in events if "status" in event.after] == [
        "planning",
        "waiting",
        "applying",
        "done",
    ]
    assert events[3].actor_name == "otto"


def test_the_function_that_a_rollback_leads_to_is_never_changed(life):
    life.request()
    Service.objects.update(safe_color=Color.GREEN)
    applied = len(life.world.applied)
    life.start()
    assert (life.step().status, life.step().problem_code) == (StepStatus.FAILED, "step:safe-color")
    assert len(life.world.applied) == applied
