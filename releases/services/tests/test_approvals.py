import pytest

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Approval, Step
from releases.permissions import codename, grant
from releases.services.approval import approvals
from releases.services.errors import ActRefused

OTHER = PlanIdentity(sha256="0" * 64, changes_digest="0" * 64)


@pytest.fixture
def at_the_gate(life):
    """A release at its canary, whose plan waits for a decision."""
    life.release = life.request()
    life.go_on()
    return life


def refused(act, **given):
    with pytest.raises(ActRefused) as refusal:
        act(**given)
    return refusal.value.code


def test_an_approval_is_bound_to_the_plan_that_was_shown(at_the_gate):
    at_the_gate.approve(comment="looks good")
    approval = Approval.objects.get()
    plan = at_the_gate.step().plan_run
    assert (approval.plan_sha256, approval.changes_digest) == (plan.plan_sha256, plan.changes_digest)
    assert (approval.decided_by, approval.comment) == (at_the_gate.manager, "looks good")
    event = AuditEvent.objects.get(action="plan.approved")
    assert (event.actor_name, event.reason) == ("mona", "looks good")
    assert event.after["plan_sha256"] == plan.plan_sha256


def test_the_requester_does_not_approve_even_with_the_right_to(at_the_gate):
    grant(at_the_gate.requester, at_the_gate.service, Permission.APPROVE)
    assert refused(at_the_gate.approve, user=at_the_gate.requester) == "approval:own-release"
    assert not Approval.objects.exists()


def test_a_manager_does_not_approve_what_they_requested_themselves(life):
    life.requester = life.manager
    life.request()
    life.go_on()
    assert refused(life.approve) == "approval:own-release"


def test_without_the_right_nobody_approves(at_the_gate):
    assert refused(at_the_gate.approve, user=at_the_gate.operator) == "person:no-permission"


def test_another_plan_than_the_current_one_is_not_approved(at_the_gate):
    assert refused(at_the_gate.approve, shown=OTHER) == "approval:other-plan"
    right = at_the_gate.shown()["shown"]
    half_right = PlanIdentity(sha256=right.sha256, changes_digest=OTHER.changes_digest)
    assert refused(at_the_gate.approve, shown=half_right) == "approval:other-plan"
    assert not Approval.objects.exists()


def test_the_form_of_an_earlier_step_approves_nothing(at_the_gate):
    shown = at_the_gate.shown()
    at_the_gate.go_on()
    assert refused(at_the_gate.approve, **shown) == "approval:decided"


def test_a_second_decision_on_the_same_plan_is_refused(at_the_gate, person):
    at_the_gate.approve()
    second = person("max", Permission.APPROVE)
    assert refused(at_the_gate.approve, user=second) == "approval:decided"
    assert refused(at_the_gate.reject) == "approval:decided"
    assert Approval.objects.count() == 1


def test_a_step_without_a_gate_is_not_approved(life):
    life.request()
    assert refused(life.approve) == "approval:no-gate"


def test_an_extra_gate_of_the_request_holds(life):
    life.request(extra_gates=["shift-50"])
    life.go_to(10)
    life.start()
    assert life.now().candidate_share == 10
    life.approve()
    assert life.now().candidate_share == 50


@pytest.mark.parametrize("loss", ["right", "account"])
def test_an_approval_does_not_count_when_its_approver_may_no_more(at_the_gate, loss):
    at_the_gate.approve()
    if loss == "right":
        at_the_gate.manager.user_permissions.clear()
        at_the_gate.manager.userobjectpermission_set.filter(
            permission__codename=codename(Permission.APPROVE)
        ).delete()
    else:
        at_the_gate.manager.is_active = False
        at_the_gate.manager.save()
    at_the_gate.start()
    assert at_the_gate.step().status == StepStatus.WAITING
    assert not at_the_gate.now().activate_canary


def test_the_gate_is_asked_again_right_before_the_apply(at_the_gate):
    at_the_gate.approve()

    def approver_leaves(*_):
        at_the_gate.manager.is_active = False
        at_the_gate.manager.save()
        return ()

    at_the_gate.world.differences = approver_leaves
    applied = len(at_the_gate.world.applied)
    at_the_gate.start()
    assert len(at_the_gate.world.applied) == applied
    assert at_the_gate.step().status == StepStatus.WAITING
    assert "approver" in AuditEvent.objects.filter(action="step.planned-again").latest("id").reason


def test_a_rejection_needs_its_reason(at_the_gate):
    assert refused(at_the_gate.reject, comment="  ") == "reject:no-comment"


def test_a_rejection_before_anybody_was_sent_there_ends_the_release(at_the_gate):
    at_the_gate.reject(comment="not on a Friday")
    at_the_gate.release.refresh_from_db()
    assert at_the_gate.release.status == ReleaseStatus.REJECTED
    assert AuditEvent.objects.get(action="release.rejected").reason == "not on a Friday"
    assert at_the_gate.request("v3").number == 2


def test_a_rejection_while_users_are_split_leaves_the_traffic_until_somebody_rolls_back(at_the_gate):
    at_the_gate.go_to(50)
    at_the_gate.reject()
    at_the_gate.release.refresh_from_db()
    assert at_the_gate.release.status == ReleaseStatus.OPEN
    assert at_the_gate.now().candidate_share == 50
    at_the_gate.roll_back()
    at_the_gate.release.refresh_from_db()
    assert at_the_gate.release.status == ReleaseStatus.ROLLED_BACK


def test_only_an_operator_starts(life):
    life.request()
    assert refused(approvals.start, step_id=life.step().pk, user=life.manager) == "person:no-permission"


def test_a_second_press_of_start_is_told(at_the_gate):
    at_the_gate.start()
    assert refused(at_the_gate.start) == "act:started"


def test_a_step_further_on_is_not_started(at_the_gate):
    last = Step.objects.filter(release=at_the_gate.release).latest("position")
    assert refused(approvals.start, step_id=last.pk, user=at_the_gate.operator) == "start:other-step"
