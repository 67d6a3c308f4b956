"""Puts the change record of a release together; its page, PDF, JSON and CSV say the same."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from audit.actions import ACTIONS
from audit.models import AuditEvent
from releases import selectors
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.domain.reports.change_record import (
    MOST_EVENTS,
    ChangeRecord,
    EventRecord,
    RollbackRecord,
    StepRecord,
    bounded,
)
from releases.domain.reports.traffic_picture import in_words
from releases.domain.versions.configuration_words import changes
from releases.models import EmergencyRollback, Release, Service, Step
from releases.selectors import records as record_selectors
from releases.services.approval import risks
from releases.services.lifecycle import now
from releases.views.shown.plans import PlanShown, plan_of
from releases.views.shown.record_decisions import approval_records, glass_record
from releases.views.shown.release_traffic import traffic_over_time
from releases.views.shown.words import release_status, step_meaning, step_status, step_title

_APPLIED = {StepStatus.BAKING, StepStatus.DONE}


def change_record(service: Service, release: Release) -> ChangeRecord:
    """The record as it is now; a constant number of queries, however much has happened."""
    steps = selectors.steps_of_release(release)
    rollbacks = record_selectors.rollbacks_of(release)
    events = record_selectors.numbered_events(release, limit=MOST_EVENTS + 1)
    verified_at = {
        str(event.subject.get("step")): event.at for event in events if event.action == "step.verified"
    }
    traffic = traffic_over_time(release, steps, rollbacks, verified_at)
    plans = _plans(service, steps)
    return ChangeRecord(
        service=service.name,
        environment=service.environment,
        account_id=service.account_id,
        region=service.region,
        release=str(release),
        release_id=str(release.pk),
        made_at=now(),
        title=f"{release.from_tag or 'the version before'} → {release.tag or 'a version without a tag'}",
        reason=bounded(release.reason),
        ticket=release.ticket,
        ticket_address=release.ticket_address,
        requested_by=release.requested_by.username,
        requested_at=release.requested_at,
        changed_by=release.changed_by.username if release.changed_by else "",
        from_tag=release.from_tag,
        from_image=release.from_image,
        tag=release.tag,
        image=release.image,
        configuration_changes=[
            bounded(str(change)) for change in changes(release.from_configuration, release.configuration)
        ],
        impact=_impact(plans.values()),
        tested=_tested(steps),
        way_back=(
            "The version before stays in place on the other colour, and the emergency button sends everyone back to it "
            "without an approval."
        ),
        status=release_status(release).word,
        result=_result(release, rollbacks),
        ended_at=release.ended_at,
        traffic_in_words=in_words(traffic),
        traffic=traffic,
        approvals=approval_records(selectors.approvals_of_release(release), steps, events),
        broken_glasses=[glass_record(glass) for glass in record_selectors.glasses_of(release)],
        steps=[_step(step, plans.get(step.pk), verified_at) for step in steps],
        rollbacks=[_rollback(rollback) for rollback in rollbacks],
        events=[_event(event) for event in events[:MOST_EVENTS]],
        events_are_all=len(events) <= MOST_EVENTS,
    )


def _plans(service: Service, steps: Sequence[Step]) -> dict[UUID, PlanShown]:
    risk = risks.risks_of(steps)
    shown = {step.pk: plan_of(service, step, risk[step.pk]) for step in steps}
    return {step_id: plan for step_id, plan in shown.items() if plan}


def _impact(plans: Collection[PlanShown]) -> str:
    if not plans:
        return "No plan has been made yet."
    words = ", ".join(sorted({str(plan.risk.word) for plan in plans}))
    guarded = "each was compared with the list of what its step may change before anybody was asked."
    return f"{_count(len(plans), 'plan')} ({words}); {guarded}"


def _tested(steps: Sequence[Step]) -> str:
    read_back = sum(step.status in _APPLIED for step in steps)
    with_canary = any(step.transition == "canary" and step.status in _APPLIED for step in steps)
    baked = sum(step.bake_seconds for step in steps if step.status in _APPLIED)
    parts = [
        f"After {_count(read_back, 'step')} what is real was read back from AWS, and was what was wanted"
    ]
    parts += ["the canary tried the version before the users"] if with_canary else []
    parts += [f"its steps baked for {baked} s"] if baked else []
    return "; ".join(parts) + "."


def _result(release: Release, rollbacks: Sequence[EmergencyRollback]) -> str:
    status = ReleaseStatus(release.status)
    if status is ReleaseStatus.ROLLED_BACK and rollbacks:
        last = rollbacks[-1]
        back = (
            f"everyone was back on {last.safe_color}" if last.traffic_back_at else "the traffic is not back"
        )
        return bounded(f"Rolled back: {back}. {last.reason or 'Nobody has said why yet.'}")
    return {
        ReleaseStatus.OPEN: "It goes on: this record is of now.",
        ReleaseStatus.PAUSED: "It is paused: this record is of now.",
        ReleaseStatus.PROMOTED: "Promoted: everyone has the new version.",
        ReleaseStatus.ROLLED_BACK: "Rolled back.",
        ReleaseStatus.REJECTED: "Rejected at a gate, before anybody was sent to the new version.",
        ReleaseStatus.CANCELLED: "Cancelled before anybody was sent to the new version.",
    }[status]


def _step(step: Step, shown: PlanShown | None, verified_at: Mapping[str, datetime]) -> StepRecord:
    plan, apply = step.plan_run, step.apply_run
    starter = step.started_by.username if step.started_by else ""
    return StepRecord(
        number=step.position + 1,
        title=step_title(step),
        status=step_status(step).word,
        needs_approval=step.gate,
        summary=shown.sentence if shown else step_meaning(step),
        risk=f"{shown.risk.word}: {shown.risk.reason}" if shown else "",
        resources=shown.counts if shown else "",
        plan_sha256=plan.plan_sha256 if plan else "",
        changes_digest=plan.changes_digest if plan else "",
        planned_at=plan.ended_at if plan else None,
        started_by=starter or ("by itself" if step.started_at or step.automatic else ""),
        started_at=step.started_at,
        applied_from=apply.started_at if apply else None,
        applied_until=apply.ended_at if apply else None,
        exit_code=apply.exit_code if apply else None,
        state_serial_before=plan.state_serial if plan else None,
        state_serial_after=apply.state_serial if apply else None,
        verified_at=verified_at.get(str(step.pk)),
        bake_seconds=step.bake_seconds,
        ended_at=step.ended_at,
        problem=bounded(step.problem),
    )


def _rollback(rollback: EmergencyRollback) -> RollbackRecord:
    names = [f"{press.name} ({press.via})" for press in rollback.presses.all()]
    agreed = rollback.converge.status == StepStatus.DONE
    return RollbackRecord(
        pressed_by=", ".join(names),
        pressed_at=rollback.pressed_at,
        back_to=rollback.safe_color,
        traffic_back_at=rollback.traffic_back_at,
        terraform_agreed_at=rollback.converge.ended_at if agreed else None,
        reason=bounded(rollback.reason),
        problem=bounded(rollback.problem),
    )


def _event(event: AuditEvent) -> EventRecord:
    return EventRecord(
        number=getattr(event, "number", None),
        at=event.at,
        actor=event.actor_name,
        via=event.via,
        action=event.action,
        words=ACTIONS.get(event.action, event.action),
        reason=bounded(event.reason),
        digest=event.digest,
        hash=getattr(event, "hash", None) or "",
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
