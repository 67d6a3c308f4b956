"""Ending a release, or what belongs to none, before anybody was sent anywhere. The caller holds the service's row."""

from audit.events import Actor
from releases import selectors
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Release, Service, Step
from releases.services.lifecycle import change_release, change_step, now
from terraform_runner import claims


def cancel_release(service: Service, release: Release, *, actor: Actor, reason: str) -> None:
    """Give a release up with all its steps."""
    for step in selectors.unfinished_steps(service).filter(release=release):
        stop_planning(step)
        change_step(step, StepStatus.ABANDONED, actor=actor, action="step.abandoned", ended_at=now())
    change_release(release, ReleaseStatus.CANCELLED, actor=actor, action="release.cancelled", reason=reason)


def abandon_own_steps(service: Service, *, actor: Actor, action: str, reason: str = "") -> None:
    """Call off what belongs to no release."""
    for step in selectors.unfinished_steps(service).filter(release__isnull=True):
        change_step(step, StepStatus.ABANDONED, actor=actor, action=action, reason=reason, ended_at=now())


def stop_planning(step: Step) -> None:
    """A plan that nobody waits for any more keeps others waiting; it changes nothing, so it may be stopped anywhere."""
    if step.status == StepStatus.PLANNING and step.plan_run_id:
        claims.request_cancel(
            workspace=str(step.service_id), reason="its step has gone on without it", only=[step.plan_run_id]
        )
