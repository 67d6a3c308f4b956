"""A person's decision at a gate, and the start of a step."""

from typing import cast
from uuid import UUID

from django.contrib.auth.models import User

from releases import selectors
from releases.domain import acts
from releases.domain.approval_policy import PlanIdentity, may_approve, may_reject
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Approval, Decision, Service, Step
from releases.permissions import as_person
from releases.services import facts, rollout
from releases.services.errors import ActRefused, refuse_unless
from releases.services.lifecycle import change_release, change_step, locked, now, person, record
from terraform_runner.models import Run


def approve(*, step_id: UUID, user: User, shown: PlanIdentity, comment: str = "") -> None:
    """Approve the plan that was shown; with all whom the gate asks for, and its start, the step goes on.

    Raises ``ActRefused``.
    """
    with locked(_service_id(step_id)) as service:
        step = selectors.get_step(step_id)
        _decide(service, step, user, shown, Decision.APPROVED, comment)
        rollout.advance(service, actor=person(user))


def reject(*, step_id: UUID, user: User, shown: PlanIdentity, comment: str) -> None:
    """Reject the plan that was shown, with the reason.

    A release that nobody has been sent to yet ends with it; otherwise the traffic stays where it is until somebody
    rolls back. Raises ``ActRefused``.
    """
    if not comment.strip():
        raise ActRefused("reject:no-comment", "Say why: a rejection needs a comment.")
    with locked(_service_id(step_id)) as service:
        step = selectors.get_step(step_id)
        _decide(service, step, user, shown, Decision.REJECTED, comment)
        actor = person(user)
        change_step(
            step, StepStatus.REJECTED, actor=actor, action="step.rejected", reason=comment, ended_at=now()
        )
        if step.release and not service.state.receives_traffic(service.state.candidate):
            change_release(
                step.release, ReleaseStatus.REJECTED, actor=actor, action="release.rejected", reason=comment
            )


def withdraw(*, step_id: UUID, user: User) -> None:
    """Take one's own approval back, until its plan's apply has begun. Raises ``ActRefused``."""
    with locked(_service_id(step_id)) as service:
        step = selectors.get_step(step_id)
        refuse_unless(acts.may_withdraw(as_person(user, service), facts.step_facts(service, step)))
        mine = step.approvals.filter(decided_by=user, withdrawn_at__isnull=True)
        for approval in mine.filter(decision=Decision.APPROVED):
            approval.withdrawn_at = now()
            approval.save(update_fields=["withdrawn_at"])
            record(
                service, step, actor=person(user), action="plan.approval-withdrawn", after=_bound_to(approval)
            )
        rollout.advance(service, actor=person(user))


def start(*, step_id: UUID, user: User) -> None:
    """Let a step go on: as soon as its plan is there, and approved where it has a gate. Raises ``ActRefused``.

    A rotation's parts are started together.
    """
    with locked(_service_id(step_id)) as service:
        step = facts.acting_step(service)
        if step is None or step.pk != step_id:
            raise ActRefused(
                "start:other-step", "This is not the step that can be started now: look at the release again."
            )
        refuse_unless(acts.may_start(as_person(user, service), facts.step_facts(service, step)))
        actor, moment = person(user), now()
        for part in facts.started_together(step):
            Step.objects.filter(pk=part.pk).update(started_by=user, started_at=moment)
            record(service, part, actor=actor, action="step.started")
        rollout.advance(service, actor=actor)


def _decide(
    service: Service, step: Step, user: User, shown: PlanIdentity, decision: Decision, comment: str
) -> None:
    step_now, decider = facts.step_facts(service, step), as_person(user, service)
    may = may_approve if decision is Decision.APPROVED else may_reject
    refuse_unless(
        may(
            decider,
            facts=step_now.at_gate,
            step_status=step_now.status,
            gate=step_now.gate,
            plan=step_now.plan,
            shown=shown,
        )
    )
    approval = Approval.objects.create(
        step=step,
        plan_run=cast(Run, step.plan_run),  # without one the policy has refused
        plan_sha256=shown.sha256,
        changes_digest=shown.changes_digest,
        epoch=service.epoch,
        decision=decision,
        decided_by=user,
        role=", ".join(sorted(decider.groups))[:200],
        comment=comment,
    )
    record(
        service,
        step,
        actor=person(user),
        action="plan.approved" if decision is Decision.APPROVED else "plan.rejected",
        after=_bound_to(approval),
        reason=comment,
    )


def _bound_to(approval: Approval) -> dict[str, str]:
    return {"plan_sha256": approval.plan_sha256, "changes_digest": approval.changes_digest}


def _service_id(step_id: UUID) -> UUID:
    return Step.objects.values_list("service_id", flat=True).get(pk=step_id)
