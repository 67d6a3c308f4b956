"""Who may decide at a gate, and whether a decision still counts when the plan is applied."""

from dataclasses import dataclass, field
from datetime import datetime

from releases.domain.access.decisions import Allowed, Decision, Permission, Person, Refused, has_permission
from releases.domain.approval.gate_standing import WhoCounts, check_place
from releases.domain.approval.slots import ANYBODY, Slot
from releases.domain.lifecycle import StepStatus


@dataclass(frozen=True, kw_only=True)
class PlanIdentity:
    """What a decision is bound to: the plan file's SHA-256 and the digest of its changes, both in hex."""

    sha256: str
    changes_digest: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One approval as it was given, with its approver as they are now.

    `epoch` is the service's when it was given: each emergency raises the service's. `good_until` is None where it
    does not grow old.
    """

    approver: Person
    release_id: str
    step_id: str
    changes_digest: str
    epoch: int
    good_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class GateFacts:
    """A gate as it is now: its places, whose approval counts, and those who have approved already, the first one first.

    `decided` says who has opened it, or rejected what it stands before, and when; "" where nobody has. `of_request`: it
    is the release's request that is decided on, which has no plan yet.
    """

    slots: tuple[Slot, ...] = (ANYBODY,)
    who_counts: WhoCounts = field(default_factory=WhoCounts)
    approvers: tuple[Person, ...] = ()
    decided: str = ""
    of_request: bool = False


def may_approve(
    person: Person,
    *,
    facts: GateFacts,
    step_status: StepStatus,
    gate: bool,
    plan: PlanIdentity | None,
    shown: PlanIdentity | None,
) -> Decision:
    """Whether this person may approve at this gate the plan they were shown.

    `plan` is the step's present one, `shown` the one that their page or request names: a page that only
    wants to know whether to offer the button passes the same twice.
    """
    answer = may_reject(person, facts=facts, step_status=step_status, gate=gate, plan=plan, shown=shown)
    return check_place(person, facts.slots, facts.approvers) if answer else answer


def may_reject(
    person: Person,
    *,
    facts: GateFacts,
    step_status: StepStatus,
    gate: bool,
    plan: PlanIdentity | None,
    shown: PlanIdentity | None,
) -> Decision:
    """Whether this person may reject the plan they were shown: whoever may approve, though no place be left for them.

    None of those who asked for what the plan does may decide either way (invariant 6).
    """
    permitted = has_permission(person, Permission.APPROVE)
    if not permitted:
        return permitted
    if not gate:
        return Refused("approval:no-gate", "This step has no gate: it needs no approval.")
    counts = facts.who_counts.check(person)
    if not counts:
        return counts
    if facts.decided:
        return Refused("approval:decided", f"{facts.decided} Nothing is left to decide.")
    if person.id in {approver.id for approver in facts.approvers}:
        return Refused("approval:yours", "You have approved this already; somebody else has to as well.")
    if plan is None or (step_status is not StepStatus.WAITING and not facts.of_request):
        return Refused("approval:no-plan", f"No plan waits for a decision: the step is {step_status.label}.")
    if shown != plan:
        what = "request" if facts.of_request else "plan"
        return Refused(
            "approval:other-plan", f"The {what} is another one by now: look at it before you decide."
        )
    return Allowed()


def still_good(
    approval: Approval,
    *,
    who_counts: WhoCounts,
    release_id: str,
    step_id: str,
    changes_digests: frozenset[str],
    epoch: int,
    moment: datetime,
) -> Decision:
    """Whether this approval counts for the step's present plan now: asked right before the apply, too.

    The plan file may be another one than the approver saw, if its changes are the same, or the rest of them with the
    same end (invariant 4): `changes_digests` are that of the present plan, and of the one that it is the rest of.
    """
    permitted = has_permission(approval.approver, Permission.APPROVE)
    if not permitted:
        return Refused("approval:approver-gone", "Its approver may not approve here any more: approve again.")
    counts = who_counts.check(approval.approver)
    if not counts:
        return counts
    if (approval.release_id, approval.step_id) != (release_id, step_id):
        return Refused("approval:other-step", "This approval was given for another step.")
    if approval.epoch != epoch:
        return Refused("approval:before-emergency", "A rollback came after this approval.")
    if approval.changes_digest not in changes_digests:
        return Refused("approval:other-changes", "The plan's changes are not those that were approved.")
    if approval.good_until is not None and approval.good_until <= moment:
        return Refused("approval:too-old", "The approval has grown too old: approve again.")
    return Allowed()
