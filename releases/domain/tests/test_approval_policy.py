from dataclasses import replace
from typing import Any

import pytest

from releases.domain.approval_policy import Approval, PlanIdentity, may_approve, still_good
from releases.domain.decisions import Allowed, Decision, Permission, Person, Refused
from releases.domain.lifecycle import StepStatus

MANAGER = Person(id="2", is_active=True, permissions=frozenset({Permission.VIEW, Permission.APPROVE}))
EVERYTHING = frozenset(Permission)
PLAN = PlanIdentity(sha256="9ab3" * 16, changes_digest="7c1e" * 16)
OTHER_FILE = replace(PLAN, sha256="0" * 64)
OTHER_CHANGES = replace(PLAN, changes_digest="0" * 64)


def refused_code(decision: Decision) -> str:
    assert isinstance(decision, Refused)
    assert not decision
    assert decision.reason.endswith(".")
    return decision.code


def decide(person: Person = MANAGER, **changed: Any) -> Decision:
    facts: dict[str, Any] = {
        "requester_ids": frozenset("1"),
        "step_status": StepStatus.WAITING,
        "gate": True,
        "plan": PLAN,
        "shown": PLAN,
        "already_decided": False,
    }
    return may_approve(person, **(facts | changed))


def test_somebody_else_with_the_permission_may_approve_the_plan_they_were_shown():
    assert decide() == Allowed()


@pytest.mark.parametrize(
    ("person", "changed", "code"),
    [
        (replace(MANAGER, is_active=False), {}, "person:inactive"),
        (replace(MANAGER, permissions=EVERYTHING - {Permission.APPROVE}), {}, "person:no-permission"),
        (MANAGER, {"gate": False}, "approval:no-gate"),
        (MANAGER, {"requester_ids": frozenset("2")}, "approval:own-release"),
        (replace(MANAGER, permissions=EVERYTHING), {"requester_ids": frozenset("2")}, "approval:own-release"),
        (MANAGER, {"already_decided": True}, "approval:decided"),
        (MANAGER, {"plan": None}, "approval:no-plan"),
        (MANAGER, {"plan": None, "shown": None}, "approval:no-plan"),
        (MANAGER, {"shown": None}, "approval:other-plan"),
        (MANAGER, {"shown": OTHER_FILE}, "approval:other-plan"),
        (MANAGER, {"shown": OTHER_CHANGES}, "approval:other-plan"),
    ],
)
def test_a_decision_is_refused(person, changed, code):
    assert refused_code(decide(person, **changed)) == code


@pytest.mark.parametrize("status", sorted(set(StepStatus) - {StepStatus.WAITING}))
def test_only_a_waiting_step_can_be_decided(status):
    assert refused_code(decide(step_status=status)) == "approval:no-plan"


APPROVAL = Approval(
    approver=MANAGER, release_id="r1", step_id="s2", changes_digest=PLAN.changes_digest, epoch=3
)


def recheck(approval: Approval | None = APPROVAL, **changed: Any) -> Decision:
    facts: dict[str, Any] = {
        "requester_ids": frozenset("1"),
        "release_id": "r1",
        "step_id": "s2",
        "changes_digests": frozenset({PLAN.changes_digest}),
        "epoch": 3,
    }
    return still_good(approval, **(facts | changed))


def test_an_approval_is_still_good_while_nothing_has_changed():
    assert recheck() == Allowed()


def test_an_approval_covers_the_rest_of_what_was_approved():
    digests = frozenset({OTHER_CHANGES.changes_digest, PLAN.changes_digest})
    assert recheck(changes_digests=digests) == Allowed()


@pytest.mark.parametrize(
    ("approval", "changed", "code"),
    [
        (None, {}, "approval:missing"),
        (replace(APPROVAL, approver=replace(MANAGER, is_active=False)), {}, "approval:approver-gone"),
        (replace(APPROVAL, approver=replace(MANAGER, permissions=frozenset())), {}, "approval:approver-gone"),
        (APPROVAL, {"requester_ids": frozenset("2")}, "approval:own-release"),
        (APPROVAL, {"release_id": "r2"}, "approval:other-step"),
        (APPROVAL, {"step_id": "s3"}, "approval:other-step"),
        (APPROVAL, {"epoch": 4}, "approval:before-emergency"),
        (
            APPROVAL,
            {"changes_digests": frozenset({OTHER_CHANGES.changes_digest})},
            "approval:other-changes",
        ),
    ],
)
def test_an_approval_no_longer_counts(approval, changed, code):
    assert refused_code(recheck(approval, **changed)) == code
