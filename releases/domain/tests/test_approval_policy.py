from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from releases.domain.access.decisions import Allowed, Decision, Permission, Person, Refused
from releases.domain.approval.approval_policy import (
    Approval,
    GateFacts,
    PlanIdentity,
    may_approve,
    may_reject,
    still_good,
)
from releases.domain.approval.gate_standing import WhoCounts
from releases.domain.approval.slots import ANYBODY, Slot
from releases.domain.lifecycle import StepStatus

MANAGER = Person(id="2", is_active=True, permissions=frozenset({Permission.VIEW, Permission.APPROVE}))
EVERYTHING = frozenset(Permission)
SRE = Slot(groups=frozenset({"SRE"}))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OF_ANOTHER = GateFacts(who_counts=WhoCounts(requester_ids=frozenset("1")))
OWN = GateFacts(who_counts=WhoCounts(requester_ids=frozenset("2")))
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
        "facts": OF_ANOTHER,
        "step_status": StepStatus.WAITING,
        "gate": True,
        "plan": PLAN,
        "shown": PLAN,
    }
    approved, rejected = (may(person, **(facts | changed)) for may in (may_approve, may_reject))
    assert approved == rejected
    return approved


def test_somebody_else_with_the_permission_may_approve_the_plan_they_were_shown():
    assert decide() == Allowed()


@pytest.mark.parametrize(
    ("person", "changed", "code"),
    [
        (replace(MANAGER, is_active=False), {}, "person:inactive"),
        (replace(MANAGER, permissions=EVERYTHING - {Permission.APPROVE}), {}, "person:no-permission"),
        (MANAGER, {"gate": False}, "approval:no-gate"),
        (MANAGER, {"facts": OWN}, "approval:own-release"),
        (replace(MANAGER, permissions=EVERYTHING), {"facts": OWN}, "approval:own-release"),
        (replace(MANAGER, is_service_account=True), {}, "approval:service-account"),
        (MANAGER, {"facts": GateFacts(decided="Ana approved it.")}, "approval:decided"),
        (
            MANAGER,
            {"facts": GateFacts(slots=(ANYBODY, SRE), approvers=(MANAGER,))},
            "approval:yours",
        ),
        (MANAGER, {"plan": None}, "approval:no-plan"),
        (MANAGER, {"plan": None, "shown": None}, "approval:no-plan"),
        (MANAGER, {"shown": None}, "approval:other-plan"),
        (MANAGER, {"shown": OTHER_FILE}, "approval:other-plan"),
        (MANAGER, {"shown": OTHER_CHANGES}, "approval:other-plan"),
    ],
)
def test_a_decision_is_refused(person, changed, code):
    assert refused_code(decide(person, **changed)) == code


def test_who_fills_no_place_that_is_left_may_still_reject():
    others = GateFacts(slots=(ANYBODY, SRE), approvers=(replace(MANAGER, id="3"),))
    asked: dict[str, Any] = {"step_status": StepStatus.WAITING, "gate": True, "plan": PLAN, "shown": PLAN}
    approved = may_approve(MANAGER, facts=others, **asked)
    assert refused_code(approved) == "approval:no-place"
    assert isinstance(approved, Refused)
    assert "somebody of SRE" in approved.reason
    assert may_reject(MANAGER, facts=others, **asked)


@pytest.mark.parametrize("status", sorted(set(StepStatus) - {StepStatus.WAITING}))
def test_only_a_waiting_step_can_be_decided(status):
    assert refused_code(decide(step_status=status)) == "approval:no-plan"


APPROVAL = Approval(
    approver=MANAGER, release_id="r1", step_id="s2", changes_digest=PLAN.changes_digest, epoch=3
)


def recheck(approval: Approval = APPROVAL, **changed: Any) -> Decision:
    facts: dict[str, Any] = {
        "who_counts": WhoCounts(requester_ids=frozenset("1")),
        "moment": NOW,
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
        (replace(APPROVAL, approver=replace(MANAGER, is_active=False)), {}, "approval:approver-gone"),
        (replace(APPROVAL, approver=replace(MANAGER, permissions=frozenset())), {}, "approval:approver-gone"),
        (APPROVAL, {"who_counts": WhoCounts(requester_ids=frozenset("2"))}, "approval:own-release"),
        (APPROVAL, {"who_counts": WhoCounts(changer_ids=frozenset("2"))}, "approval:changed-it"),
        (APPROVAL, {"who_counts": WhoCounts(elsewhere_ids=frozenset("2"))}, "approval:other-gate"),
        (replace(APPROVAL, good_until=NOW), {}, "approval:too-old"),
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


def test_without_four_eyes_who_asked_for_it_and_who_changed_it_count():
    both = WhoCounts(four_eyes=False, requester_ids=frozenset("2"), changer_ids=frozenset("2"))
    assert recheck(who_counts=both) == Allowed()
    assert decide(facts=GateFacts(who_counts=both)) == Allowed()


def test_an_approval_counts_until_the_moment_when_it_has_grown_too_old():
    assert recheck(replace(APPROVAL, good_until=NOW + timedelta(microseconds=1))) == Allowed()
