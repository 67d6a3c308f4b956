import pytest

from audit.models import AuditEvent
from aws.errors import AwsError
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.traffic import NOBODY, Color
from releases.models import EmergencyRollback, Release, Service
from releases.permissions import NotAllowed
from releases.services.approval import approvals
from releases.services.errors import ActRefused
from releases.services.rollback import emergency
from releases.services.rollback.emergency import NothingToRollBack
from terraform_runner.domain.runs import Operation, RunStatus
from terraform_runner.errors import RunCancelled
from terraform_runner.models import Run

AWS_IS_GONE = AwsError("aws:unreachable", "AWS did not answer.")


@pytest.fixture
def split(life):
    """A release with half of the users on its version, and the canary on."""
    life.release = life.request()
    life.go_to(50)
    return life


def canary_weights(life):
    return life.world.weights["arn:rule/canary"]


def test_all_users_and_testers_are_back_before_any_worker_does_anything(split):
    rollback = split.roll_back()
    assert split.world.green_weight() == 0
    assert canary_weights(split) == {"arn:group/blue": 100, "arn:group/green": 0}
    assert rollback.traffic_back_at is not None
    assert rollback.problem == ""
    assert split.now().candidate_share == 0


def test_terraform_agrees_afterwards(split):
    rollback = split.roll_back()
    split.world.work()
    rollback.converge.refresh_from_db()
    assert rollback.converge.status == StepStatus.DONE
    assert not split.now().activate_canary
    assert split.world.sources["arn:rule/canary"] == {NOBODY}
    assert canary_weights(split) == {"arn:group/blue": 0, "arn:group/green": 100}


def test_the_release_ends_as_rolled_back_and_its_steps_as_abandoned(split):
    split.roll_back()
    split.release.refresh_from_db()
    assert split.release.status == ReleaseStatus.ROLLED_BACK
    assert split.release.steps.latest("position").status == StepStatus.ABANDONED
    assert AuditEvent.objects.get(action="rollback.pressed").actor_name == "otto"


def test_the_functions_stay_as_they_are(split):
    before = {color: function.versions[:] for color, function in split.world.functions.items()}
    split.roll_back()
    split.world.work()
    assert {color: function.versions for color, function in split.world.functions.items()} == before


def test_a_promoted_release_is_taken_back_too(life):
    release = life.request()
    life.go_to(100)
    life.roll_back()
    release.refresh_from_db()
    assert release.status == ReleaseStatus.ROLLED_BACK
    assert life.world.green_weight() == 0


def test_pressed_fifty_times_it_is_one_rollback(split):
    pressed = {split.roll_back().pk for _ in range(50)}
    split.world.work()
    assert len(pressed) == EmergencyRollback.objects.count() == 1
    assert Service.objects.get().epoch == 1
    assert AuditEvent.objects.filter(action="rollback.joined").count() == 49


def test_without_the_right_nothing_is_rolled_back(split):
    with pytest.raises(NotAllowed):
        split.roll_back(split.requester)
    assert split.world.green_weight() == 50


def test_where_there_is_nothing_to_roll_back_it_is_said(life):
    with pytest.raises(NothingToRollBack):
        life.roll_back()
    assert not EmergencyRollback.objects.exists()


def test_weights_that_somebody_changed_by_hand_are_brought_back(life):
    life.world.weights["arn:rule/traffic"] = {"arn:group/blue": 60, "arn:group/green": 40}
    life.roll_back()
    assert life.world.green_weight() == 0


def test_a_release_that_nobody_was_sent_to_yet_is_ended(life):
    release = life.request()
    life.roll_back()
    release.refresh_from_db()
    assert release.status == ReleaseStatus.ROLLED_BACK


def test_an_aws_that_does_not_answer_is_said_and_the_next_press_tries_again(split):
    split.world.aws_fails = AWS_IS_GONE
    rollback = split.roll_back()
    assert rollback.problem == "AWS did not answer."
    assert rollback.traffic_back_at is None
    split.world.aws_fails = None
    again = split.roll_back()
    assert again.pk == rollback.pk
    assert again.problem == ""
    assert again.traffic_back_at is not None


def test_weights_that_read_back_otherwise_are_not_taken_for_done(split):
    split.world.ignores_weights = True
    rollback = split.roll_back()
    assert "other weights" in rollback.problem
    assert rollback.traffic_back_at is None
    assert split.now().candidate_share == 50


def test_plans_and_approvals_from_before_are_worth_nothing(life):
    life.request()
    life.go_on()
    life.approve()
    shown = life.shown()
    life.roll_back()
    life.world.work()
    applied = len(life.world.applied)
    with pytest.raises(ActRefused):
        approvals.approve(**shown, user=life.manager)
    life.world.work()
    assert len(life.world.applied) == applied
    assert not life.now().activate_canary


def test_an_apply_that_was_past_its_last_check_is_undone_when_it_has_ended(split):
    """The press comes while Terraform moves everyone to the candidate."""
    pressed: list[EmergencyRollback] = []

    def press():
        if not pressed:
            pressed.append(split.roll_back())

    split.world.during_apply = press
    split.start()
    split.approve()
    assert split.world.applied[-2]["green_weight"] == 100
    assert split.world.green_weight() == 0
    rollback = EmergencyRollback.objects.get()
    assert rollback.set_again_at is not None
    assert rollback.converge.status == StepStatus.DONE
    assert split.now().candidate_share == 0


def test_an_apply_in_flight_is_asked_to_stop(split):
    asked: list[object] = []

    def press():
        if not asked:
            split.roll_back()
            run = Run.objects.get(status=RunStatus.RUNNING)
            asked.append(run.cancel_reason)
            raise RunCancelled("stopped")

    split.world.during_apply = press
    split.start()
    split.approve()
    assert asked == ["an emergency rollback was pressed"]
    assert split.world.green_weight() == 0
    cancelled = Run.objects.filter(status=RunStatus.CANCELLED, operation=Operation.APPLY)
    assert cancelled.count() == 1


def test_an_apply_that_only_changes_an_idle_function_is_left_to_finish(life):
    life.request()
    asked: list[object] = []

    def press():
        if not asked:
            life.roll_back()
            asked.append(Run.objects.get(status=RunStatus.RUNNING).cancel_requested_at)

    life.world.during_apply = press
    life.start()
    assert asked == [None]
    assert life.now().green_weight == 0
    assert life.world.functions[Color.GREEN].alias == 2
    assert EmergencyRollback.objects.get().converge.status == StepStatus.DONE


def test_while_the_stable_function_is_being_changed_the_way_back_leads_to_the_promoted_version(life):
    life.request()
    life.go_to(100)
    second = life.request("v3")
    pressed: list[EmergencyRollback] = []

    def press():
        if not pressed:
            pressed.append(life.roll_back())

    life.world.during_apply = press
    life.start()
    assert life.world.green_weight() == 100
    assert pressed[0].safe_color == Color.GREEN
    second.refresh_from_db()
    assert second.status == ReleaseStatus.ROLLED_BACK
    assert Release.objects.get(number=1).status == ReleaseStatus.PROMOTED
    third = life.request("v3")
    assert third.steps.order_by("position")[0].transition == "rotate_stable"


def test_after_a_failed_convergence_the_button_can_be_pressed_again(split):
    split.world.plan_fails = RunCancelled("no")
    first = split.roll_back()
    split.world.work()
    first.converge.refresh_from_db()
    assert first.converge.status == StepStatus.FAILED
    split.world.plan_fails = None
    second = split.roll_back()
    split.world.work()
    second.converge.refresh_from_db()
    assert (second.pk == first.pk, second.converge.status) == (False, StepStatus.DONE)


def test_an_aws_that_does_not_answer_after_an_apply_is_noted_and_terraform_brings_the_traffic_back(split):
    pressed: list[object] = []

    def press_and_lose_aws():
        if not pressed:
            pressed.append(split.roll_back())
            split.world.aws_fails = AWS_IS_GONE

    split.world.during_apply = press_and_lose_aws
    split.start()
    split.approve()
    rollback = EmergencyRollback.objects.get()
    assert rollback.problem == "AWS did not answer."
    split.world.aws_fails = None
    split.roll_back()
    split.world.work()
    assert split.world.green_weight() == 0


def test_what_a_release_does_after_the_rollback_is_not_taken_back_for_an_older_apply_s_sake(split):
    """The older one's worker was cut off, and is given up only now."""
    old = split.step()
    split.roll_back()
    split.world.work()
    split.request()
    split.go_to(50)
    emergency.keep_traffic_back(old)
    assert split.world.green_weight() == 50
