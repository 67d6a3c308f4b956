"""Who may decide at a gate, and whether a decision still counts when the plan is applied."""

from dataclasses import dataclass

from releases.domain.decisions import Allowed, Decision, Permission, Person, Refused, has_permission
from releases.domain.lifecycle import StepStatus

_OWN_RELEASE = Refused("approval:own-release", "You asked for this yourself: somebody else has to decide.")


@dataclass(frozen=True, kw_only=True)
class PlanIdentity:
    """What a decision is bound to: the plan file's SHA-256 and the digest of its changes, both in hex."""

    sha256: str
    changes_digest: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One approval as it was given, with its approver as they are now.

    `epoch` is the service's when it was given: each emergency raises the service's.
    """

    approver: Person
    release_id: str
    step_id: str
    changes_digest: str
    epoch: int


def may_approve(
    person: Person,
    *,
    requester_ids: frozenset[str],
    step_status: StepStatus,
    gate: bool,
    plan: PlanIdentity | None,
    shown: PlanIdentity | None,
    already_decided: bool,
) -> Decision:
    """Whether this person may decide, by approving or rejecting, at this gate on the plan they were shown.

    `requester_ids` are all who asked for what the plan does: none of them may (invariant 6).
    `plan` is the step's present one, `shown` the one that their page or request names: a page that only
    wants to know whether to offer the button passes the same twice.
    """
    permitted = has_permission(person, Permission.APPROVE)
    if not permitted:
        return permitted
    if not gate:
        return Refused("approval:no-gate", "This step has no gate: it needs no approval.")
    if person.id in requester_ids:
        return _OWN_RELEASE
    if already_decided:
        return Refused("approval:decided", "Somebody has decided already.")
    if step_status is not StepStatus.WAITING or plan is None:
        return Refused("approval:no-plan", f"No plan waits for a decision: the step is {step_status.label}.")
    if shown != plan:
        return Refused("approval:other-plan", "The plan is another one by now: look at it before you decide.")
    return Allowed()


def still_good(
    approval: Approval | None,
    *,
    requester_ids: frozenset[str],
    release_id: str,
    step_id: str,
    changes_digests: frozenset[str],
    epoch: int,
) -> Decision:
    """Whether this approval lets the step's present plan be applied now, right before the apply.

    The plan file may be another one than the approver saw, if its changes are the same, or the rest of them with the
    same end (invariant 4): `changes_digests` are that of the present plan, and of the one that it is the rest of.
    """
    if approval is None:
        return Refused("approval:missing", "This step waits for an approval.")
    permitted = has_permission(approval.approver, Permission.APPROVE)
    if not permitted:
        return Refused("approval:approver-gone", "Its approver may not approve here any more: approve again.")
    if approval.approver.id in requester_ids:
        return _OWN_RELEASE
    if (approval.release_id, approval.step_id) != (release_id, step_id):
        return Refused("approval:other-step", "This approval was given for another step.")
    if approval.epoch != epoch:
        return Refused("approval:before-emergency", "A rollback came after this approval.")
    if approval.changes_digest not in changes_digests:
        return Refused("approval:other-changes", "The plan's changes are not those that were approved.")
    return Allowed()
