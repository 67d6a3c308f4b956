"""Who asked for it, or made the policy, tries to get past the others; by page and API in test_attacks_on_four_eyes."""

import pytest

from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import Approval, Policy, Step
from releases.permissions import grant
from releases.services import shares
from releases.services.access import service_accounts
from releases.services.approval import approvals, policy_changes
from releases.services.approval.gates import StepGate
from releases.services.errors import ActRefused
from releases.services.provisioning.managed import ManagingRefused


@pytest.fixture
def at_the_gate(life):
    """A release at its canary, whose plan waits for a decision."""
    life.release = life.request()
    life.go_on()
    return life


def refused(act, **given) -> str:
    with pytest.raises((ActRefused, ManagingRefused)) as refusal:
        act(**given)
    return refusal.value.code


def test_by_changing_the_policy_in_between(at_the_gate):
    grant(at_the_gate.requester, at_the_gate.service, *Permission)
    change = {"service_id": at_the_gate.service.pk, "user": at_the_gate.requester}
    assert refused(policy_changes.change_policy, **change, wanted={"four_eyes": False}) == "managed:own-gate"
    everywhere = {"environment": "production", "user": at_the_gate.requester}
    assert (
        refused(policy_changes.change_defaults, **everywhere, wanted={"four_eyes": False})
        == "managed:own-gate"
    )
    assert not Policy.objects.exclude(content={}).exists()


def test_by_a_policy_that_they_have_made_before(life):
    grant(life.requester, life.service, *Permission)
    policy_changes.change_policy(service_id=life.service.pk, user=life.requester, wanted={"four_eyes": False})
    life.request()
    life.go_on()
    assert refused(life.approve, user=life.requester) == "approval:own-release"


def test_by_a_policy_that_they_have_made_and_somebody_else_has_changed_elsewhere(life, keeper):
    grant(life.requester, life.service, *Permission)
    change = {"service_id": life.service.pk}
    policy_changes.change_policy(**change, user=life.requester, wanted={"four_eyes": False})
    policy_changes.change_policy(**change, user=keeper, wanted={"four_eyes": False, "wait_seconds": 60})
    life.request()
    life.go_on()
    assert refused(life.approve, user=life.requester) == "approval:own-release"


def test_by_a_policy_of_theirs_that_asks_for_no_approval(life):
    grant(life.requester, life.service, *Permission)
    wanted = {"gates": {"canary": {"need": "never", "slots": ["anybody"]}}}
    policy_changes.change_policy(service_id=life.service.pk, user=life.requester, wanted=wanted)
    life.request()
    life.go_on()
    life.start()
    assert not life.now().activate_canary
    assert refused(life.approve, user=life.requester) == "approval:own-release"
    life.approve()
    life.world.work()
    assert life.now().activate_canary


def test_by_changing_the_policy_while_a_program_of_theirs_asks(life, keeper):
    program = service_accounts.make(life.service, name="ci", roles=[Role.REQUESTER], by=keeper).user
    life.requester = program
    life.request()
    change = {"service_id": life.service.pk, "user": keeper, "wanted": {"four_eyes": False}}
    assert refused(policy_changes.change_policy, **change) == "managed:own-gate"
    everywhere = {"environment": "production", "user": keeper, "wanted": {"four_eyes": False}}
    assert refused(policy_changes.change_defaults, **everywhere) == "managed:own-gate"


def test_where_somebody_else_has_switched_it_off_they_may(at_the_gate, set_policy):
    set_policy(four_eyes=False)
    grant(at_the_gate.requester, at_the_gate.service, Permission.APPROVE)
    at_the_gate.approve(user=at_the_gate.requester)
    assert Approval.objects.get().decided_by == at_the_gate.requester
    assert StepGate(at_the_gate.service, at_the_gate.step()).is_open


def test_by_changing_the_release_after_the_approval(at_the_gate):
    """The share that was set is another plan, which its approval was not given for; who set it approves none."""
    at_the_gate.go_on()
    grant(at_the_gate.operator, at_the_gate.service, Permission.APPROVE)
    shares.set_share(release_id=at_the_gate.release.pk, share=40, user=at_the_gate.operator)
    at_the_gate.world.work()
    assert at_the_gate.now().candidate_share == 0
    assert refused(at_the_gate.approve, user=at_the_gate.operator) == "approval:own-release"
    at_the_gate.approve()
    at_the_gate.go_on()
    at_the_gate.start()
    assert at_the_gate.step().transition == "promote"
    assert refused(at_the_gate.approve, user=at_the_gate.operator) == "approval:changed-it"


def test_an_edit_after_the_approval_starts_its_gate_again(life):
    life.release = life.request()
    life.go_to(10)
    life.go_on()
    life.start()
    step = life.step()
    shown = life.shown()
    assert step.transition == "promote"
    shares.set_share(release_id=life.release.pk, share=70, user=life.operator)
    life.world.work()
    assert Step.objects.get(pk=step.pk).plan_run is None
    assert refused(approvals.approve, **shown, user=life.manager) == "approval:no-plan"


def test_by_replaying_the_form_of_an_older_plan(at_the_gate):
    shown = at_the_gate.shown()
    outdated = iter([("the weights",)])
    at_the_gate.world.differences = lambda *_: next(outdated, ())
    at_the_gate.world.salt = "other changes"
    at_the_gate.approve()
    at_the_gate.start()
    assert refused(approvals.approve, **shown, user=at_the_gate.manager) == "approval:other-plan"


def test_by_the_approval_of_another_release_with_the_same_changes(at_the_gate):
    at_the_gate.approve()
    at_the_gate.roll_back()
    at_the_gate.world.work()
    at_the_gate.request()
    at_the_gate.start()
    assert not StepGate(at_the_gate.service, at_the_gate.step()).is_open
