"""What people decided at a release's gates, as its change record has it: approvals, rejections, broken glasses."""

from collections.abc import Sequence
from datetime import datetime

from audit.models import AuditEvent
from releases.domain.reports.change_record import ApprovalRecord, GlassRecord, bounded
from releases.models import Approval, BrokenGlass, Step
from releases.views.shown.words import step_title

_REQUEST = "Request"


def approval_records(
    approvals: Sequence[Approval], steps: Sequence[Step], events: Sequence[AuditEvent]
) -> list[ApprovalRecord]:
    """Each decision, with what it was about and since when that had waited; ``events`` are the release's."""
    by_id = {step.pk: step for step in steps}
    asked = {
        event.after.get("request_digest"): event.after.get("asked_at")
        for event in reversed(events)
        if event.after
    }
    return [_approval(one, by_id[one.step_id], asked.get(one.changes_digest)) for one in approvals]


def glass_record(glass: BrokenGlass) -> GlassRecord:
    """A gate that somebody opened alone."""
    of_plan = glass.plan_run_id is not None
    return GlassRecord(
        step=step_title(glass.step) if of_plan else _REQUEST,
        by=glass.broken_by.username,
        at=glass.broken_at,
        reason=bounded(glass.reason),
        plan_sha256=glass.plan_sha256 if of_plan else "",
        changes_digest=glass.changes_digest,
        reviewed_by=glass.reviewed_by.username if glass.reviewed_by else "",
        reviewed_at=glass.reviewed_at,
        review=bounded(glass.review),
    )


def _approval(approval: Approval, step: Step, asked_at: str | None) -> ApprovalRecord:
    plan = approval.plan_run
    return ApprovalRecord(
        step=step_title(step) if plan else _REQUEST,
        decision=approval.decision,
        by=approval.decided_by.username,
        role=approval.role,
        asked_at=plan.ended_at if plan else datetime.fromisoformat(asked_at) if asked_at else None,
        at=approval.decided_at,
        comment=bounded(approval.comment),
        plan_sha256=approval.plan_sha256 if plan else "",
        changes_digest=approval.changes_digest,
        compared=_compared(approval, step)
        if plan
        else "the request: image, configuration, steps and versions",
        withdrawn_at=approval.withdrawn_at,
    )


def _compared(approval: Approval, step: Step) -> str:
    plan = step.plan_run
    if plan is None or not plan.plan_sha256:
        return "the step has no plan now"
    if approval.plan_sha256 == plan.plan_sha256:
        return "this very plan"
    same = approval.changes_digest in {plan.changes_digest, step.rest_of}
    return (
        "the same changes, or more of them, in an earlier plan"
        if same
        else "another plan, with other changes"
    )
