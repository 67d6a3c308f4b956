"""Whether a gate is open: asked with what is so now, not with what was when somebody approved (FAULTS P7, P18, P20)."""

import pytest

from releases.domain.access.decisions import Permission, Refused
from releases.models import Approval, Decision, Service
from releases.permissions import codename, grant
from releases.services.approval import gates
from releases.tests.factories import finished_plan


@pytest.fixture
def approved(life):
    """A release whose canary has been approved, and waits for its start."""
    life.release = life.request()
    life.go_on()
    life.approve()
    return life


def why_not(life) -> str:
    """The code of the reason why the gate of the present step is shut, "" where it is open."""
    life.service.refresh_from_db()
    gate = gates.StepGate(life.service, life.step())
    answer = gate.answer
    assert gate.is_open is bool(answer)
    return answer.code if isinstance(answer, Refused) else ""


def test_an_approval_of_the_present_plan_opens_it(approved):
    assert why_not(approved) == ""


def test_an_approval_covers_the_rest_of_the_plan_that_it_was_given_for(approved):
    Approval.objects.update(changes_digest="of an earlier plan")
    assert why_not(approved) == "approval:other-changes"
    approved.service.steps.filter(pk=approved.step().pk).update(rest_of="of an earlier plan")
    assert why_not(approved) == ""


def test_without_an_approval_it_is_shut(life):
    life.request()
    life.go_on()
    assert why_not(life) == "approval:missing"


def test_a_step_without_a_gate_is_open(life):
    life.request()
    assert gates.StepGate(life.service, life.step()).is_open


def test_a_rejection_opens_nothing(approved):
    Approval.objects.update(decision=Decision.REJECTED)
    assert why_not(approved) == "approval:missing"


def test_a_rejection_ends_the_approvals_before_it(approved):
    approval = Approval.objects.get()
    step = approved.step()
    again = finished_plan(step)
    Approval.objects.create(
        step=step,
        plan_run=again,
        plan_sha256=again.plan_sha256,
        changes_digest=approval.changes_digest,
        epoch=approval.epoch,
        decision=Decision.REJECTED,
        decided_by=approved.manager,
    )
    assert why_not(approved) == "approval:missing"


def test_who_asked_for_the_very_step_does_not_open_it(approved):
    approved.step().release.steps.update(requested_by=approved.manager)
    assert why_not(approved) == "approval:own-release"


def test_it_shuts_when_the_approver_loses_the_right_and_opens_when_they_have_it_again(approved):
    held = approved.manager.userobjectpermission_set.filter(permission__codename=codename(Permission.APPROVE))
    held.delete()
    assert why_not(approved) == "approval:approver-gone"
    grant(approved.manager, approved.service, Permission.APPROVE)
    assert why_not(approved) == ""


def test_a_right_on_another_service_does_not_keep_it_open(approved, world):
    approved.manager.userobjectpermission_set.all().delete()
    other = Service.objects.create(name="other", family="other", priority=300)
    grant(approved.manager, other, Permission.APPROVE)
    assert why_not(approved) == "approval:approver-gone"


def test_it_shuts_when_the_approver_s_account_is_switched_off(approved):
    approved.manager.is_active = False
    approved.manager.save()
    assert why_not(approved) == "approval:approver-gone"


def test_an_approval_of_the_requester_s_own_that_got_in_somehow_opens_nothing(approved):
    grant(approved.requester, approved.service, Permission.APPROVE)
    Approval.objects.update(decided_by=approved.requester)
    assert why_not(approved) == "approval:own-release"


def test_another_plan_with_the_same_changes_keeps_it_open(approved):
    step = approved.step()
    again = finished_plan(step)
    again.changes_digest = step.plan_run.changes_digest
    again.save()
    step.plan_run = again
    step.save()
    assert why_not(approved) == ""


def test_a_plan_with_other_changes_shuts_it(approved):
    step = approved.step()
    step.plan_run = finished_plan(step)
    step.save()
    assert why_not(approved) == "approval:other-changes"


def test_an_emergency_since_shuts_it(approved):
    Service.objects.update(epoch=1)
    assert why_not(approved) == "approval:before-emergency"


def test_one_good_approval_is_enough_beside_one_that_does_not_count_any_more(approved, person):
    second, step = person("max", Permission.APPROVE), approved.step()
    replaced = finished_plan(step)
    Approval.objects.update(plan_run=replaced)
    approved.manager.is_active = False
    approved.manager.save()
    Approval.objects.create(
        step=step,
        plan_run=step.plan_run,
        plan_sha256=step.plan_run.plan_sha256,
        changes_digest=step.plan_run.changes_digest,
        epoch=0,
        decision=Decision.APPROVED,
        decided_by=second,
    )
    assert why_not(approved) == ""


def test_the_same_changes_in_another_release_are_not_approved_by_it(approved):
    """The next release's canary changes exactly what this one's did."""
    first = approved.step()
    approved.roll_back()
    approved.world.work()
    approved.request()
    second = approved.step()
    assert second.pk != first.pk
    assert second.plan_run.changes_digest == first.plan_run.changes_digest
    assert why_not(approved) == "approval:missing"
