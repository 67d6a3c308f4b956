"""A person's decision at a gate, and the start of a step."""

from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from releases import selectors
from releases.domain import acts
from releases.domain.approval.approval_policy import PlanIdentity, may_approve, may_reject
from releases.domain.approval.slots import role_words
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.messaging.messages import MessageKind
from releases.models import Approval, Decision, Service, Step
from releases.permissions import as_person
from releases.services import facts, rollout
from releases.services.approval import gates
from releases.services.approval.gate import Gate
from releases.services.endings import stop_planning
from releases.services.errors import ActRefused, refuse_unless
from releases.services.lifecycle import change_release, change_step, locked, now, person, record
from releases.services.messaging.telling import tell

_ACTIONS = {
    (False, Decision.APPROVED): "plan.approved",
    (False, Decision.REJECTED): "plan.rejected",
    (True, Decision.APPROVED): "request.approved",
    (True, Decision.REJECTED): "request.rejected",
}


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
        stop_planning(step)
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
        for approval in _to_take_back(step, user):
            approval.withdrawn_at = now()
            approval.save(update_fields=["withdrawn_at"])
            action = "plan.approval-withdrawn" if approval.plan_run_id else "request.approval-withdrawn"
            record(service, step, actor=person(user), action=action, after=_bound_to(approval))
        # So that those who are missing are told again, the same as before too.
        Step.objects.filter(pk=step.pk).update(wanted=[])
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
    gate, decider = gates.gates_before(service, step).present, as_person(user, service)
    may = may_approve if decision is Decision.APPROVED else may_reject
    refuse_unless(
        may(
            decider,
            facts=gate.facts,
            step_status=StepStatus(step.status),
            gate=gate.is_needed,
            plan=gate.identity,
            shown=shown,
        )
    )
    approval = Approval.objects.create(
        step=step,
        plan_run=None if gate.of_request else step.plan_run,
        plan_sha256=shown.sha256,
        changes_digest=shown.changes_digest,
        epoch=service.epoch,
        decision=decision,
        decided_by=user,
        role=", ".join([*map(role_words, sorted(decider.roles)), *sorted(decider.groups)])[:200],
        comment=comment,
    )
    record(
        service,
        step,
        actor=person(user),
        action=_ACTIONS[gate.of_request, decision],
        after=_bound_to(approval) | _asked_at(gate),
        reason=comment,
    )
    kind = MessageKind.APPROVED if decision is Decision.APPROVED else MessageKind.REJECTED
    tell(kind, service, step=step, actor=person(user), reason=comment)


def _asked_at(gate: Gate) -> dict[str, str]:
    """Since when a request has waited; of a plan its own event tells."""
    asked_at = gate.step.asked_at
    return {"asked_at": asked_at.isoformat()} if gate.of_request and asked_at else {}


def _bound_to(approval: Approval) -> dict[str, str]:
    if approval.plan_run_id is None:
        return {"request_digest": approval.changes_digest}
    return {"plan_sha256": approval.plan_sha256, "changes_digest": approval.changes_digest}


def _to_take_back(step: Step, user: User) -> QuerySet[Approval]:
    """A person's approvals of the step's plan, and of its release's request where nothing of that has begun."""
    mine = Approval.objects.filter(decided_by=user, withdrawn_at__isnull=True, decision=Decision.APPROVED)
    here = Q(step=step, plan_run__isnull=False)
    if step.release and not selectors.release_has_begun(step.release):
        here |= Q(step__release=step.release, plan_run__isnull=True)
    return mine.filter(here)


def _service_id(step_id: UUID) -> UUID:
    return Step.objects.values_list("service_id", flat=True).get(pk=step_id)
