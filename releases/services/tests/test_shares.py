"""Any share at any time: up by an approval, down at once; what the plan had becomes of it what the rules say."""

from collections.abc import Callable

import pytest

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.plans.guard import Refusal
from releases.models import Release
from releases.permissions import grant
from releases.services import canary_addresses, release_acts, requests, shares
from releases.services.errors import ActRefused
from releases.services.requests import ReleaseRequest
from terraform_runner.domain.runs import RunStatus
from terraform_runner.errors import StateLocked


@pytest.fixture
def release(life) -> Release:
    """Canary, 10, 25, 50 and the promotion, with the canary in place."""
    made = life.request(weights=[10, 25, 50])
    life.go_on()
    life.go_on()
    return made


@pytest.fixture
def set_share(life, release) -> Callable[[int], None]:
    def set_to(share: int) -> None:
        shares.set_share(release_id=release.pk, share=share, user=life.operator)
        life.world.work()

    return set_to


def refused(set_share, share: int) -> str:
    with pytest.raises(ActRefused) as refusal:
        set_share(share)
    return refusal.value.code


def plan(release: Release) -> list[tuple[int, str]]:
    return list(
        release.steps.exclude(transition__startswith="rotate")
        .order_by("position")
        .values_list("candidate_share", "status")
    )


def test_a_higher_share_waits_for_its_approval_and_the_plan_goes_on_above_it(life, release, set_share):
    set_share(30)
    assert plan(release) == [
        (0, "done"),
        (10, "skipped"),
        (25, "skipped"),
        (30, "waiting"),
        (50, "pending"),
        (100, "pending"),
    ]
    assert life.now().candidate_share == 0
    life.approve()
    assert life.now().candidate_share == life.world.green_weight() == 30
    assert (life.step().candidate_share, life.step().started_at) == (50, None)
    life.go_to(100)
    release.refresh_from_db()
    assert release.status == ReleaseStatus.PROMOTED


def test_who_set_a_share_does_not_approve_it(life, release, set_share):
    grant(life.operator, life.service, Permission.APPROVE)
    set_share(30)
    with pytest.raises(ActRefused, match="You asked for this yourself"):
        life.approve(user=life.operator)
    life.approve()
    assert life.now().candidate_share == 30


def test_a_lower_share_needs_no_approval_and_nobody_s_start(life, release, set_share):
    life.go_to(25)
    set_share(5)
    assert life.now().candidate_share == life.world.green_weight() == 5
    assert life.now().activate_canary
    assert plan(release)[3:] == [(5, "done"), (50, "waiting"), (100, "pending")]


def test_no_users_at_all_leaves_the_canary_where_it_is(life, release, set_share):
    life.go_to(10)
    set_share(0)
    assert (life.now().candidate_share, life.now().activate_canary) == (0, True)
    assert life.world.sources["arn:rule/canary"] == {"203.0.113.7/32"}


def test_after_a_lower_share_the_way_up_needs_an_approval_and_a_person(life, release, set_share):
    release.steps.filter(candidate_share__gt=10).update(automatic=True)
    life.go_on()
    while life.step().transition != "promote":
        life.world.work()
    assert life.now().candidate_share == 50
    set_share(10)
    step = life.step()
    assert (step.candidate_share, step.gate, step.automatic) == (100, True, False)
    life.approve()
    assert life.now().candidate_share == 10
    life.start()
    assert life.now().candidate_share == 100


def test_a_start_that_was_given_before_a_lower_share_does_not_count_after_it(life, release, set_share):
    release.steps.filter(candidate_share=25).update(gate=True)
    life.go_to(10)
    life.start()
    assert life.step().started_at is not None
    set_share(5)
    step = life.step()
    assert (step.candidate_share, step.status, step.started_at) == (25, StepStatus.WAITING, None)


def test_a_share_ends_the_bake_time_and_the_plan_made_meanwhile(life):
    release = life.request(weights=[10, 50], bake_seconds=3600)
    life.go_on()
    life.go_on()
    planned_ahead = release.steps.get(candidate_share=10).plan_run
    shares.set_share(release_id=release.pk, share=30, user=life.operator)
    life.world.work()
    assert plan(release) == [
        (0, "done"), (10, "skipped"), (30, "waiting"), (50, "pending"), (100, "pending")
    ]  # fmt: skip
    assert release.steps.get(candidate_share=30).bake_seconds == 3600
    assert planned_ahead.status == RunStatus.SUCCEEDED
    life.approve()
    assert life.now().candidate_share == 30


def test_a_plan_that_is_put_off_is_made_again_and_approved_again(life, release, set_share):
    release.steps.filter(candidate_share=25).update(gate=True)
    life.go_to(10)
    life.approve()
    first = life.step().plan_run
    set_share(20)
    put_off = release.steps.get(candidate_share=25)
    assert (put_off.status, put_off.plan_run) == (StepStatus.PENDING, None)
    life.approve()
    step = life.step()
    assert (step.pk, step.status) == (put_off.pk, StepStatus.WAITING)
    assert step.plan_run != first


def test_a_plan_that_is_being_made_for_a_step_that_is_put_off_is_stopped(life, release, set_share):
    step = life.step()
    step.status = StepStatus.PLANNING
    step.save()
    run = step.plan_run
    run.status = RunStatus.RUNNING
    run.save()
    shares.set_share(release_id=release.pk, share=5, user=life.operator)
    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    assert release.steps.get(candidate_share=10).status == StepStatus.PENDING


def test_everyone_is_the_promotion_with_its_approval(life, release, set_share):
    set_share(100)
    assert plan(release) == [(0, "done"), (10, "skipped"), (25, "skipped"), (50, "skipped"), (100, "waiting")]
    life.approve()
    release.refresh_from_db()
    assert (release.status, life.now().candidate_share) == (ReleaseStatus.PROMOTED, 100)


def test_a_running_apply_is_not_disturbed(life, release, set_share):
    seen = []
    life.world.during_apply = lambda: seen.append(refused(set_share, 5))
    life.go_on()
    assert seen == ["act:applying"]
    assert life.now().candidate_share == 10


def test_a_paused_release_is_lowered_at_once_and_stays_paused(life, release, set_share):
    life.go_to(10)
    release_acts.pause(release_id=release.pk, user=life.operator)
    assert refused(set_share, 20) == "act:paused"
    set_share(3)
    assert life.now().candidate_share == life.world.green_weight() == 3
    release.refresh_from_db()
    assert release.status == ReleaseStatus.PAUSED
    assert life.step().status == StepStatus.PENDING


def test_a_lower_share_after_a_step_failed_leaves_it_failed(life, release, set_share):
    life.go_to(10)
    life.world.apply_fails = StateLocked("locked", who="x", since="", operation="")
    life.start()
    life.world.apply_fails = None
    set_share(5)
    assert life.now().candidate_share == 5
    assert (life.step().candidate_share, life.step().status) == (25, StepStatus.FAILED)
    release_acts.retry(step_id=life.step().pk, user=life.operator)
    life.world.work()
    assert (life.step().status, life.step().gate) == (StepStatus.WAITING, True)


def test_a_share_that_the_guard_refuses_fails_and_is_set_once_more(life, release, set_share):
    life.go_to(10)
    life.world.refusals = [Refusal(address="traffic", attribute="weight", reason="is 40 at AWS.")]
    set_share(5)
    assert life.step().status == StepStatus.FAILED
    life.world.refusals = ()
    assert refused(set_share, 5) == "act:next-already"
    set_share(4)
    assert life.now().candidate_share == 4
    assert release.steps.get(candidate_share=5).status == StepStatus.FAILED


@pytest.fixture
def add_address(life, release) -> Callable[[str], None]:
    """Ask for it, without a worker that does it."""
    return lambda address: canary_addresses.add_address(
        release_id=release.pk, address=address, user=life.operator
    )


def test_an_address_that_is_being_added_is_in_the_canary_before_a_higher_share_is_approved(
    life, release, set_share, add_address
):
    add_address("198.51.100.2")
    set_share(30)
    assert life.now().canary_addresses == ("203.0.113.7/32", "198.51.100.2/32")
    assert (life.step().candidate_share, life.step().status) == (30, StepStatus.WAITING)
    life.approve()
    assert life.now().candidate_share == 30


def test_an_address_that_is_being_added_follows_a_lower_share_by_itself(
    life, release, set_share, add_address
):
    life.go_to(25)
    add_address("198.51.100.2")
    set_share(5)
    assert (life.now().candidate_share, life.now().canary_addresses[-1]) == (5, "198.51.100.2/32")
    order = release.steps.filter(status=StepStatus.DONE).order_by("position")
    assert list(order.values_list("transition", flat=True))[-2:] == ["shift", "canary"]
    assert (life.step().candidate_share, life.step().gate) == (50, True)
    assert not release.steps.get(transition="canary", position__gt=1, requested_by=life.operator).gate


def test_an_address_that_could_not_be_added_is_tried_again_after_a_share_was_set(
    life, release, set_share, add_address
):
    life.world.plan_fails = StateLocked("locked", who="x", since="", operation="")
    add_address("198.51.100.2")
    life.world.work()
    life.world.plan_fails = None
    set_share(30)
    life.approve()
    assert (life.now().candidate_share, life.step().status) == (30, StepStatus.FAILED)
    release_acts.retry(step_id=life.step().pk, user=life.operator)
    life.world.work()
    assert life.now().canary_addresses[-1] == "198.51.100.2/32"


def test_before_the_new_version_is_in_place_no_share_is_set(life):
    wanted = ReleaseRequest(tag="v2", weights=[50])
    release = requests.request_release(service_id=life.service.pk, user=life.requester, wanted=wanted)
    with pytest.raises(ActRefused, match="the rotation comes first"):
        shares.set_share(release_id=release.pk, share=10, user=life.operator)


def test_the_trail_has_the_share_and_what_became_of_each_step(life, release, set_share):
    set_share(30)
    event = AuditEvent.objects.get(action="release.share-set")
    assert (event.actor_name, event.before, event.after) == ("otto", {"share": 0}, {"share": 30})
    after = AuditEvent.objects.filter(pk__gt=event.pk).order_by("id").values_list("action", flat=True)
    assert list(after) == [
        "step.skipped",
        "step.skipped",
        "step.started",
        "step.planning",
        "plan.made",
        "step.planned",
    ]


def test_the_button_works_after_any_share(life, release, set_share):
    life.go_to(25)
    set_share(7)
    life.roll_back()
    life.world.work()
    release.refresh_from_db()
    assert (release.status, life.world.green_weight()) == (ReleaseStatus.ROLLED_BACK, 0)
    assert not set(release.steps.values_list("status", flat=True)) & {"pending", "waiting", "planning"}
