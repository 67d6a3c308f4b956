"""A release as the API says it; a constant number of queries."""

import hashlib

from releases import selectors
from releases.api.shown import (
    AttributeOut,
    ChangeOut,
    PlanOut,
    ProblemOut,
    ReleaseOut,
    State,
    StepOut,
)
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Release, Service, Step
from releases.services import facts
from releases.services.approval.gate import Gate
from releases.services.approval.gates import gate_now
from releases.views.shown.plans import PlanShown, plan_of
from releases.views.shown.words import step_title

_ENDED: dict[str, State] = {
    ReleaseStatus.PROMOTED.value: "promoted",
    ReleaseStatus.ROLLED_BACK.value: "rolled_back",
    ReleaseStatus.REJECTED.value: "rejected",
    ReleaseStatus.CANCELLED.value: "cancelled",
}


def release_shown(service: Service, release: Release) -> ReleaseOut:
    """The document of a release of this service."""
    current, acting = facts.present_steps(service) if release.is_open else (None, None)
    step = acting or current
    gate = gate_now(service, step)
    plan = plan_of(service, step) if step else None
    document = ReleaseOut(
        service=service.name,
        number=release.number,
        state=_state(release, step, gate),
        open=release.is_open,
        image=release.image,
        tag=release.tag,
        reason=release.reason,
        requested_by=release.requested_by.get_username(),
        requested_at=release.requested_at,
        ended_at=release.ended_at,
        current_step=step.pk if step else None,
        plan=_plan(plan) if plan else None,
        request_digest=gate.identity.changes_digest if gate and gate.of_request and gate.identity else "",
        waits_for="" if gate is None or gate.is_open else gate.words,
        frozen="" if gate is None or gate.frozen is None else str(gate.frozen),
        steps=[_step(one) for one in selectors.steps_of_release(release)],
    )
    document.version = hashlib.sha256(document.model_dump_json().encode()).hexdigest()[:16]
    return document


def _state(release: Release, step: Step | None, gate: Gate | None) -> State:
    if not release.is_open:
        return _ENDED[release.status]
    status = StepStatus(step.status) if step else StepStatus.DONE
    if status in {StepStatus.FAILED, StepStatus.REJECTED}:
        return "failed" if status is StepStatus.FAILED else "step_rejected"
    if release.is_paused:
        return "paused"
    return _waiting(gate) if gate else "going_on"


def _waiting(gate: Gate) -> State:
    if not gate.is_open:
        return "waiting_for_approval"
    is_started = gate.step.started_at is not None or gate.step.automatic
    return "going_on" if is_started else "waiting_for_start"


def _step(step: Step) -> StepOut:
    return StepOut(
        id=step.pk,
        title=step_title(step),
        transition=step.transition,
        share=step.candidate_share,
        gate=step.gate,
        automatic=step.automatic,
        started=step.started_at is not None,
        status=step.status,
        problem=ProblemOut(code=step.problem_code, text=step.problem) if step.problem else None,
    )


def _plan(plan: PlanShown) -> PlanOut:
    return PlanOut(
        sha256=plan.sha256,
        changes_digest=plan.changes_digest,
        sentence=plan.sentence,
        risk=plan.risk.word,
        changes=[
            ChangeOut(
                address=change.address,
                action=change.action,
                attributes=[
                    AttributeOut(path=one.path, before=one.before, after=one.after)
                    for one in change.attributes
                ],
            )
            for change in plan.changes
        ],
    )
