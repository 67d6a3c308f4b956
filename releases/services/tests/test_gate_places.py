"""Several approvals at one gate: who fills its places, who is missing, and when one counts no more (FAULTS P8, P18,
P24, P25)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.lifecycle import StepStatus
from releases.models import Approval, Step
from releases.permissions import services_with
from releases.selectors import inbox as inbox_selectors
from releases.services.approval import approvals
from releases.services.approval.gates import StepGate
from releases.services.errors import ActRefused

SRE_TOO = {"canary": {"need": "as_planned", "slots": ["anybody", "SRE"]}}


@pytest.fixture
def at_the_gate(life, set_policy):
    """A release at its canary, which is started and waits for two people, one of them an SRE."""
    set_policy(gates=SRE_TOO)
    life.release = life.request()
    life.start()
    life.start()
    return life


def refused(act, **given) -> str:
    with pytest.raises(ActRefused) as refusal:
        act(**given)
    return refusal.value.code


def words(life) -> str:
    return StepGate(life.service, life.step()).words


def inbox(user, life) -> list[Step]:
    return list(inbox_selectors.steps_to_decide(user, services=services_with(user, Permission.APPROVE)))


def test_the_step_goes_on_when_both_have_approved_in_either_order(at_the_gate, member):
    sam = member("sam", "SRE")
    at_the_gate.approve(user=sam)
    assert at_the_gate.step().status == StepStatus.WAITING
    assert not at_the_gate.now().activate_canary
    at_the_gate.approve()
    assert at_the_gate.now().activate_canary


def test_what_is_missing_is_said_with_who_could_give_it(at_the_gate, member):
    member("sam", "SRE")
    member("sue", "SRE")
    at_the_gate.approve()
    assert words(at_the_gate) == "1 of 2: somebody of SRE is missing (@sam or @sue)"


def test_who_fills_no_place_that_is_left_is_told_and_nothing_is_recorded(at_the_gate, member):
    at_the_gate.approve()
    assert refused(at_the_gate.approve, user=member("ivo")) == "approval:no-place"
    assert Approval.objects.count() == 1


def test_one_person_counts_once_however_often_they_press(at_the_gate, member):
    sam = member("sam", "SRE")
    at_the_gate.approve(user=sam)
    assert refused(at_the_gate.approve, user=sam) == "approval:yours"


def test_somebody_of_both_moves_to_the_place_that_nobody_else_can_fill(at_the_gate, member):
    at_the_gate.approve(user=member("sam", "SRE"))
    assert words(at_the_gate).startswith("1 of 2: an approver is missing")
    at_the_gate.approve(user=member("sue", "SRE"))
    assert at_the_gate.now().activate_canary


def test_it_is_in_the_inbox_of_those_who_could_fill_what_is_left(at_the_gate, member):
    sam, ivo = member("sam", "SRE"), member("ivo")
    assert inbox(sam, at_the_gate) == inbox(ivo, at_the_gate) == [at_the_gate.step()]
    assert inbox(at_the_gate.requester, at_the_gate) == []
    at_the_gate.approve(user=ivo)
    assert inbox(sam, at_the_gate) == [at_the_gate.step()]
    assert inbox(ivo, at_the_gate) == inbox(at_the_gate.manager, at_the_gate) == []


def test_a_place_is_empty_again_when_its_approver_leaves_the_group(at_the_gate, member):
    sam = member("sam", "SRE")
    at_the_gate.approve(user=sam)
    sam.groups.clear()
    assert words(at_the_gate).startswith("1 of 2: somebody of SRE is missing")
    assert refused(at_the_gate.approve) == "approval:no-place"


def test_a_place_is_empty_again_when_its_approver_s_account_is_closed(at_the_gate, member):
    sam = member("sam", "SRE")
    at_the_gate.approve(user=sam)
    sam.is_active = False
    sam.save()
    at_the_gate.approve()
    assert at_the_gate.step().status == StepStatus.WAITING
    assert words(at_the_gate).startswith("1 of 2: somebody of SRE is missing")


def test_an_approver_who_leaves_the_group_right_before_the_apply_stops_it(at_the_gate, member):
    sam = member("sam", "SRE")
    at_the_gate.approve(user=sam)

    def leaves(*_):
        sam.groups.clear()
        return ()

    at_the_gate.world.differences = leaves
    applied = len(at_the_gate.world.applied)
    at_the_gate.approve()
    assert len(at_the_gate.world.applied) == applied
    assert (
        "somebody of SRE is missing"
        in AuditEvent.objects.filter(action="step.planned-again").latest("id").reason
    )


def test_a_policy_that_asks_for_more_meanwhile_is_the_one_that_counts(at_the_gate, member, set_policy):
    set_policy(gates={"canary": {"need": "as_planned", "slots": ["anybody", "SRE", "SRE"]}})
    at_the_gate.approve(user=member("sam", "SRE"))
    at_the_gate.approve()
    assert words(at_the_gate).startswith("2 of 3")


def test_an_approval_is_taken_back_until_the_apply_has_begun(at_the_gate, member):
    sam = member("sam", "SRE")
    at_the_gate.approve(user=sam)
    approvals.withdraw(step_id=at_the_gate.step().pk, user=sam)
    assert AuditEvent.objects.get(action="plan.approval-withdrawn").actor_name == "sam"
    assert words(at_the_gate).startswith("0 of 2")
    at_the_gate.approve()
    assert at_the_gate.step().status == StepStatus.WAITING
    step = at_the_gate.step()
    at_the_gate.approve(user=sam)
    assert refused(approvals.withdraw, step_id=step.pk, user=sam) == "approval:used"
    assert refused(approvals.withdraw, step_id=step.pk, user=member("ivo")) == "approval:not-yours"


def test_one_that_is_queued_is_not_applied_when_its_approval_is_taken_back(at_the_gate, member):
    sam, applied = member("sam", "SRE"), len(at_the_gate.world.applied)
    approvals.approve(**at_the_gate.shown(), user=sam)
    approvals.approve(**at_the_gate.shown(), user=at_the_gate.manager)
    assert at_the_gate.step().status == StepStatus.APPLYING
    approvals.withdraw(step_id=at_the_gate.step().pk, user=sam)
    at_the_gate.world.work()
    assert len(at_the_gate.world.applied) == applied
    assert at_the_gate.step().status == StepStatus.WAITING


def test_an_approval_grows_too_old_and_the_gate_asks_again(at_the_gate, member, set_policy):
    set_policy(gates=SRE_TOO, approval_seconds=3600)
    at_the_gate.approve(user=member("sam", "SRE"))
    step = at_the_gate.step()
    assert step.look_again_at <= Approval.objects.get().decided_at + timedelta(hours=1)
    Approval.objects.update(decided_at=timezone.now() - timedelta(hours=1))
    Step.objects.filter(pk=step.pk).update(look_again_at=timezone.now())
    at_the_gate.world.work()
    assert at_the_gate.step().wanted == ["", "SRE"]
    at_the_gate.approve()
    assert at_the_gate.step().status == StepStatus.WAITING


def test_another_plan_with_the_same_changes_keeps_what_was_approved(at_the_gate, member):
    at_the_gate.approve(user=member("sam", "SRE"))
    first = at_the_gate.step().plan_run
    outdated = iter([("the weights",)])
    at_the_gate.world.differences = lambda *_: next(outdated, ())
    at_the_gate.approve()
    assert at_the_gate.now().activate_canary
    assert Step.objects.get(transition="canary").plan_run != first


def test_where_each_counts_at_one_gate_the_next_gate_wants_somebody_else(life, set_policy, member):
    set_policy(one_gate_each=True)
    life.request(extra_gates=["shift-10"])
    life.go_on()
    life.go_on()
    life.start()
    assert refused(life.approve) == "approval:other-gate"
    life.approve(user=member("max"))
    assert life.now().candidate_share == 10


def test_a_transition_that_always_needs_an_approval_has_a_gate_that_the_plan_did_not_ask_for(
    life, set_policy
):
    life.request()
    life.go_to(10)
    set_policy(gates={"shift": {"need": "always", "slots": ["anybody"]}})
    life.start()
    assert life.now().candidate_share == 10
    life.approve()
    assert life.now().candidate_share == 50


def test_one_that_never_needs_one_goes_on_without(life, set_policy):
    set_policy(gates={"canary": {"need": "never", "slots": ["anybody"]}})
    life.request()
    life.start()
    life.start()
    assert life.now().activate_canary


def test_an_old_page_is_told_who_decided(life):
    life.request()
    life.go_on()
    shown = life.shown()
    life.go_on()
    with pytest.raises(ActRefused, match=r"mona approved it on .* Nothing is left to decide\."):
        approvals.approve(**shown, user=life.manager)
