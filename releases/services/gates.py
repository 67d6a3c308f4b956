"""Whether a gate is open: asked when a step may go on, and again right before its apply."""

from itertools import takewhile

from releases.domain.approval_policy import Approval as GivenApproval
from releases.domain.approval_policy import still_good
from releases.domain.decisions import Decision as Answer
from releases.models import Approval, Decision, Service, Step
from releases.permissions import as_person


def is_open(service: Service, step: Step) -> bool:
    """Whether nothing stands between the step's current plan and its apply."""
    return not step.gate or bool(answer(service, step))


def answer(service: Service, step: Step) -> Answer:
    """Whether the step's approval lets its plan be applied: the best answer of those since the last rejection."""
    answers = [_still_good(service, step, approval) for approval in given_since_rejection(step)] or [
        _still_good(service, step, None)
    ]
    return next((one for one in answers if one), answers[0])


def given_since_rejection(step: Step) -> list[Approval]:
    """The step's approvals since somebody rejected a plan of it, newest first."""
    decisions = step.approvals.select_related("decided_by", "plan_run").order_by("-decided_at")
    return list(takewhile(lambda one: one.decision == Decision.APPROVED, decisions))


def requester_ids(step: Step) -> frozenset[str]:
    """Who asked for what the step does: for its release, and for the very step where somebody did."""
    asked = (step.release.requested_by_id if step.release else None, step.requested_by_id)
    return frozenset(str(one) for one in asked if one is not None)


def _still_good(service: Service, step: Step, approval: Approval | None) -> Answer:
    return still_good(
        _as_given(service, step, approval) if approval else None,
        requester_ids=requester_ids(step),
        release_id=str(step.release_id),
        step_id=str(step.pk),
        changes_digests=_digests(step),
        epoch=service.epoch,
    )


def _digests(step: Step) -> frozenset[str]:
    """What an approval may have been given for, that the present plan is covered by it."""
    present = step.plan_run.changes_digest if step.plan_run else ""
    return frozenset({present, step.rest_of} - {""})


def _as_given(service: Service, step: Step, approval: Approval) -> GivenApproval:
    return GivenApproval(
        approver=as_person(approval.decided_by, service),
        release_id=str(step.release_id),
        step_id=str(approval.step_id),
        changes_digest=approval.changes_digest,
        epoch=approval.epoch,
    )
